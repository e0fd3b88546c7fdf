"""Several processes that share the masks of one run, each with a log of its own.

They speak to each other at the beginning, where the first one says what is left to do, and at the end.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby

import torch.distributed as dist

from scripts.answering.answerer import AuditRequest

LONGEST = timedelta(days=30)  # that a process may wait for the others


def join_processes() -> None:
    """Connect the processes that a launcher has started; nothing to do where there is only one."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not dist.is_initialized():
        dist.init_process_group("gloo", timeout=LONGEST)


def own_device(name: str) -> str:
    """Of several processes on a machine, each takes a GPU of its own, whichever one `name` says."""
    return f"cuda:{os.environ['LOCAL_RANK']}" if dist.is_initialized() and name.startswith("cuda") else name


def share_of(requests: Sequence[AuditRequest], rank: int, count: int) -> list[AuditRequest]:
    """What process `rank` of `count` asks: whole groups of requests of one uid, about as many masks as the others."""
    own, before = [], 0
    for _, members in groupby(requests, key=lambda request: request.sample.uid):
        group = list(members)
        middle = before + len(group) / 2
        if int(middle * count / len(requests)) == rank:
            own += group
        before += len(group)
    return own


def wait_for_all() -> None:
    """Until all processes have come here. ValueError if one of them has ended."""
    if not dist.is_initialized():
        return
    try:
        barrier = dist.barrier(async_op=True)
        while not barrier.is_completed():  # Python sees signals between its own steps only
            time.sleep(0.1)
        barrier.wait()
    except RuntimeError:
        expected = f"expected {dist.get_world_size()} processes to the end, got fewer"
        raise ValueError(f"{expected}: start the run again, all answers so far are kept") from None
