"""All that was received, on disk: JSON lines that are only ever added to. What is there is not asked and paid again."""

from __future__ import annotations

import json
import threading
from collections.abc import Collection
from datetime import datetime, timezone
from pathlib import Path

from scripts.answering.answerer import AuditRequest
from scripts.baselines.verdict import ANSWERS

FILE_NAME = "replies.jsonl"
PROBED = "probed"  # the outcome of a line that is a probe's: it answers nothing


class KeptReplies:
    """`answers`: digest of a question -> the last line that answers it; `probes`: the same of probes.

    A line that was cut off is passed over.
    """

    def __init__(self, path: Path, ask_again: Collection[str] = ()):
        self.path = path
        self.rows = read_rows(path)
        self.answers = {row["question"]: row for row in self.rows if row["outcome"] in ANSWERS}
        self.answers = {key: row for key, row in self.answers.items() if row["outcome"] not in ask_again}
        self.probes = {row["question"]: row for row in self.rows if row["outcome"] == PROBED}
        self.paid = sum(row.get("price") or 0.0 for row in self.rows)
        self.lock = threading.Lock()
        _end_last_line(path)
        self._file = path.open("a", encoding="utf-8")

    def add(self, row: dict) -> None:
        """Keep a line and hand it to the operating system: it survives when the program is killed."""
        with self.lock:
            self._file.write(json.dumps(row, ensure_ascii=False) + "\n")
            self._file.flush()
            self.rows.append(row)
            self.paid += row.get("price") or 0.0
            if row["outcome"] == PROBED:
                self.probes[row["question"]] = row
            elif row["outcome"] in ANSWERS:
                self.answers[row["question"]] = row

    def close(self) -> None:
        self._file.close()


def begin_row(question: str, request: AuditRequest) -> dict:
    """The first part of a line: which question about which mask, and when."""
    return {
        "question": question,
        "uid": request.sample.uid,
        "frame_idx": request.sample.frame_idx,
        "mask_path": request.candidate.mask_name,
        "rank": request.candidate.rank,
        "when": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def read_rows(path: Path) -> list[dict]:
    """The whole lines of a file of replies, in order; none if there is no such file."""
    rows = []
    for line in path.read_bytes().split(b"\n") if path.is_file() else ():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and "question" in row and "outcome" in row:
            rows.append(row)
    return rows


def _end_last_line(path: Path) -> None:
    """A killed program may have left half a line: what follows must not be joined to it."""
    if path.is_file() and path.stat().st_size and not path.read_bytes().endswith(b"\n"):
        with path.open("ab") as file:
            file.write(b"\n")
