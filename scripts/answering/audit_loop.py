"""All masks of a run are audited in order, and every answer is logged at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Protocol

from tqdm import tqdm

from scripts.answering.answerer import Answerer, AuditRequest, Reply, answer_all


class Log(Protocol):
    def add(self, records: list[dict]) -> None:
        """Keep the records."""


def audit_all(
    answerer: Answerer,
    requests: Sequence[AuditRequest],
    log: Log,
    record_of: Callable[[AuditRequest, Reply], dict],
    *,
    batch_size: int = 0,
    title: str = "auditing",
) -> None:
    """Ask for every audit, in order, and add its record to the log as soon as it is answered.

    `batch_size` as in `answer_all`. `title` stands before the progress bar. Raises ValueError if one mask alone does
    not fit into memory.
    """
    is_first = os.environ.get("RANK", "0") == "0"  # of several processes
    with tqdm(total=len(requests), desc=title, unit="mask", disable=not is_first) as bar:
        for asked, replies in answer_all(answerer, requests, batch_size):
            log.add([record_of(request, reply) for request, reply in zip(asked, replies, strict=True)])
            bar.update(len(asked))
