"""The evaluation loop: all masks of a run are audited in order, and every answer is logged at once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from tqdm import tqdm

from scripts.answering.answerer import Answerer, AuditRequest, Reply, answer_all
from utils.record_log import RecordLog

logger = logging.getLogger("inference")


def audit_all(
    answerer: Answerer,
    requests: Sequence[AuditRequest],
    log: RecordLog,
    record_of: Callable[[AuditRequest, Reply], dict],
    *,
    batch_size: int = 0,
    title: str = "auditing",
) -> None:
    """Ask for every audit that `log` does not hold yet, in order, and add its record to the log.

    `batch_size` as in `answer_all`. `title` stands before the progress bar. Raises ValueError if one mask alone does
    not fit into memory.
    """
    done = len(log.records)
    if done:
        logger.info("going on after %d masks that an interrupted run has audited", done)
    with tqdm(total=len(requests), initial=done, desc=title, unit="mask") as bar:
        for asked, replies in answer_all(answerer, requests[done:], batch_size):
            log.add([record_of(request, reply) for request, reply in zip(asked, replies, strict=True)])
            bar.update(len(asked))
