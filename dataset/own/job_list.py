"""Job lists: which masks of which clips are meant. CSV with a header, or JSON lines.

Needed: clip, expression, mask, and frame or at. Optional: audio. Everything else is carried through. Paths are relative
to the list's folder.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from utils.tables import Columns, read_table
from utils.text_files import parsed_json, read_text

PLAIN_NUMBER = re.compile(r"[-+]?[0-9]{1,12}(\.[0-9]*)?")
NEEDED = ("clip", "expression", "mask")
PLACES = ("frame", "at", "audio")
OWN = (*NEEDED, *PLACES)
COLUMNS = Columns(NEEDED, optional=PLACES, needs_header=True, keeps_others=True)


@dataclass(frozen=True)
class Job:
    """One row. `where`: file and line."""

    where: str
    clip: Path
    expression: str
    mask: Path
    frame: int | None
    at: float | None
    audio: Path | None
    carried: dict


def read_jobs(path: Path) -> list[Job]:
    """Every job of the list, in order. Raises FileNotFoundError, ValueError naming file and line."""
    rows = _json_rows(path) if path.suffix.lower() in (".jsonl", ".json") else read_table(path, COLUMNS)
    jobs = [_job(f"{path} line {number}", row, path.parent) for number, row in rows]
    if not jobs:
        raise ValueError(f"{path}: expected jobs, one in each line, got none")
    return jobs


def _json_rows(path: Path) -> Iterator[tuple[int, dict]]:
    for number, line in enumerate(re.split("\r\n|\n|\r", read_text(path)), 1):
        if line.strip():
            where = f"{path} line {number}"
            row = parsed_json(line, where)
            if not isinstance(row, dict):
                raise ValueError(f"{where}: expected one JSON object, got {line[:60]!r}")
            yield number, row


def _job(where: str, row: dict, folder: Path) -> Job:
    for name in NEEDED:
        if not isinstance(row.get(name), str) or not row[name].strip():
            raise ValueError(f"{where}: expected {name} as text, got {json.dumps(row.get(name))}")
    frame, at = (_number(row.get(name), kind, f"{where}: {name}") for name, kind in (("frame", int), ("at", float)))
    audio = row.get("audio")
    if audio is not None and not isinstance(audio, str):
        raise ValueError(f"{where}: expected audio as text, got {json.dumps(audio)}")
    return Job(
        where,
        folder / row["clip"].strip(),
        row["expression"],
        folder / row["mask"].strip(),
        frame,
        at,
        folder / audio.strip() if audio and audio.strip() else None,
        {name: value for name, value in row.items() if name not in OWN},
    )


def _number(value: object, kind: type, where: str) -> int | float | None:
    if value is None or value == "":
        return None
    number = None
    with suppress(ValueError, OverflowError):
        if type(value) in (int, float) or (isinstance(value, str) and PLAIN_NUMBER.fullmatch(value.strip())):
            number = kind(value)
    if number is None or not math.isfinite(number) or (type(value) is float and number != value):
        raise ValueError(f"{where}: expected {'a whole number' if kind is int else 'a number'}, got {value!r}")
    return number
