"""Answers that are kept in logs: asked for, found again after an interruption, and which of them hold, and why not."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scripts.answering.answerer import Answerer, AuditRequest, Reply
from scripts.answering.audit_loop import audit_all
from scripts.answering.basis import Basis, why_not
from scripts.answering.records import mask_identity, record_of
from utils.answer_log import EARLIER, AnswerLog, identity, keep_lines, read_lines, write_answers

logger = logging.getLogger("inference")


@dataclass
class Logs:
    """The logs of one run: that of its first process, and one for each further process."""

    folder: Path
    predictions: str  # the name of the predictions file

    def of(self, rank: int) -> Path:
        return self.folder / (f"{self.predictions}.rank-{rank}.partial" if rank else f"{self.predictions}.partial")

    def found(self) -> list[Path]:
        """Those that are there, also of runs with another number of processes."""
        others = self.folder.glob(f"{self.predictions}.rank-*.partial")
        return [path for path in (self.of(0), *sorted(others)) if path.is_file()]

    def remove(self) -> None:
        """To be called when all answers are written to the predictions file."""
        for path in self.found():
            path.unlink()


@dataclass
class Stored:
    """`records`: identity of a mask -> its record, of the answers that hold. `left`: the lines of all others, and
    `reasons`: why they do not hold -> how many. `copies`: lines that say the same once more."""

    records: dict[tuple, dict] = field(default_factory=dict)
    left: list[bytes] = field(default_factory=list)
    reasons: Counter = field(default_factory=Counter)
    copies: int = 0


def read_stored(logs: Logs, bases: dict[tuple, Basis]) -> Stored:
    """What the logs hold for these masks. `bases`: identity of each mask of the run -> its basis."""
    stored = Stored()
    for path in logs.found():
        for line, record in read_lines(path):
            reason = _why_left(stored.records, bases, record)
            if reason == "copy":
                stored.copies += 1
            elif reason:
                stored.left.append(line)
                stored.reasons[reason] += 1
            else:
                stored.records[identity(record)] = record
    return stored


def _why_left(known: dict[tuple, dict], bases: dict[tuple, Basis], record: dict | None) -> str | None:
    if record is None:
        return "no whole record (cut off, damaged, or of an earlier version)"
    mask = identity(record)
    try:
        basis = bases.get(mask)
    except TypeError:
        return "no whole record (cut off, damaged, or of an earlier version)"
    if basis is None:
        return "of a mask that this run does not ask about"
    if reason := why_not(record["basis"], basis):
        return reason
    if mask not in known:
        return None
    same = known[mask]["raw_output"] == record["raw_output"]
    return "copy" if same else "a second answer to the same mask"


def resume(logs: Logs, bases: dict[tuple, Basis]) -> dict[tuple, dict]:
    """The records of the answers that hold. Says how many do, how many do not and why.

    Afterwards they are all in the log of the first process. Lines that do not hold are in EARLIER, and nothing is
    deleted: whenever the program is killed, each line is in at least one of these files.
    """
    found = logs.found()
    stored = read_stored(logs, bases)
    if found:
        logger.info("%d of %d masks have answers of an interrupted run that hold", len(stored.records), len(bases))
    if stored.copies:
        logger.info("%d lines of the log are copies of others: each answer counts once", stored.copies)
    if stored.left:
        aside = logs.folder / EARLIER / logs.of(0).name
        keep_lines(aside, stored.left)
        for reason, count in stored.reasons.most_common():
            logger.warning("%d stored lines do not hold: %s", count, reason)
        logger.warning("they are moved to %s", aside)
    if stored.left or stored.copies or found[1:]:
        write_answers(logs.of(0), stored.records.values())
        for path in found:
            if path != logs.of(0):
                path.unlink()
    return stored.records


def log_answers(
    answerer: Answerer,
    requests: Sequence[AuditRequest],
    path: Path,
    bases: Mapping[tuple, Basis],
    *,
    batch_size: int = 0,
    title: str = "auditing",
) -> None:
    """As `audit_all`, into the log at `path`: each record says with its basis what it was made from.

    `bases`: identity of each mask -> its basis.
    """
    log = AnswerLog(path)

    def with_basis(request: AuditRequest, reply: Reply) -> dict:
        return record_of(request, reply) | {"basis": bases[mask_identity(request)]}

    try:
        audit_all(answerer, requests, log, with_basis, batch_size=batch_size, title=title)
    finally:
        log.close()


def collect(logs: Logs, masks: Sequence[tuple], bases: dict[tuple, Basis]) -> list[dict]:
    """The record of each mask, in this order, from the logs of all processes. ValueError if one is missing."""
    records = read_stored(logs, bases).records
    if missing := [mask for mask in masks if mask not in records]:
        expected = f"expected an answer for each of {len(masks)} masks, {len(missing)} are missing, for example"
        raise ValueError(f"{logs.folder}: {expected} {missing[0]}: start the run again, the others are kept")
    return [records[mask] for mask in masks]
