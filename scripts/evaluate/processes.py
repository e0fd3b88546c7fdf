"""Several processes that share the masks of one run: torchrun --nproc_per_node N -m scripts.evaluate.run

They speak to each other at the beginning, where the first one says what is left to do, and at the end.
In between every process works and logs by itself.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import groupby

import torch.distributed as dist

from scripts.answering.answerer import AuditRequest

LONGEST = timedelta(days=30)  # that a process may wait for the others
POLL = 0.05  # seconds


class Processes:
    """The processes of this run; one, if no launcher has started several. `rank` is the number of this one."""

    def __init__(self):
        self.count = int(os.environ.get("WORLD_SIZE", "1"))
        self.rank = int(os.environ.get("RANK", "0"))
        if self.count > 1:
            dist.init_process_group("gloo", timeout=LONGEST)

    def device(self, name: str) -> str:
        """Each process of a machine takes a GPU of its own."""
        return f"cuda:{os.environ['LOCAL_RANK']}" if self.count > 1 and name.startswith("cuda") else name

    def from_first(self, make: Callable[[], object]) -> object:
        """What `make` gives in the first process, in all of them. If it fails there, all of them end."""
        if self.count == 1:
            return make()
        message, error = [None, "the first process has ended"], None
        if self.rank == 0:
            try:
                message = [make(), None]
            except Exception as caught:
                error = caught
        self.wait()
        dist.broadcast_object_list(message)
        if error:
            raise error
        if message[1]:
            raise ValueError(f"process {self.rank}: stopped, because {message[1]}; its own message says why")
        return message[0]

    def wait(self) -> None:
        """Until all processes have come here. ValueError if one of them has ended.

        It asks again and again, because signals are not heard during a call that waits.
        """
        if self.count == 1:
            return
        try:
            work = dist.barrier(async_op=True)
            while not work.is_completed():
                time.sleep(POLL)
            work.wait()
        except RuntimeError:
            expected = f"expected {self.count} processes to the end, got fewer"
            raise ValueError(f"{expected}: start the run again, all answers so far are kept") from None

    def share(self, requests: Sequence[AuditRequest]) -> list[AuditRequest]:
        """What this process asks: neighbouring groups of equal uid, whole, about as many masks as the others."""
        own, before = [], 0
        for _, members in groupby(requests, key=lambda request: request.sample.uid):
            group = list(members)
            middle = before + len(group) / 2
            if int(middle * self.count / len(requests)) == self.rank:
                own += group
            before += len(group)
        return own
