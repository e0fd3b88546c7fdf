"""A log of answers on disk, one JSON line each. Every line says itself what it answers, so order does not matter.

{"uid": ..., "frame_idx": ..., "mask_path": ..., "rank": ..., "raw_output": ..., "basis": {...}, "crc32": "0f3a..."}

`basis` says what the answer was made from (`scripts.answering.basis`). `crc32` is that of the line without itself, so a
damaged line is noticed even if it is still JSON.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from utils.whole_files import naming, whole_file

EARLIER = "previous"  # the folder beside the results to which what no longer counts is moved
IDENTITY = ("uid", "frame_idx", "mask_path", "rank")
_CRC = re.compile(rb', "crc32": "([0-9a-f]{8})"\}')


def identity(record: dict) -> tuple:
    """What names a mask."""
    return tuple(record.get(name) for name in IDENTITY)


class AnswerLog:
    """Appends records to a file; they survive the death of the process, but perhaps not of the machine."""

    def __init__(self, path: Path):
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with naming(path):
            self._handle = _open_end(path)

    def add(self, records: Iterable[dict]) -> None:
        """Raises OSError that names the file, e.g. if the disk is full; the last line may then be cut off."""
        left = memoryview(b"".join(map(answer_line, records)))
        with naming(self.path):
            while left:
                left = left[os.write(self._handle, left) :]

    def close(self) -> None:
        os.close(self._handle)


def answer_line(record: dict) -> bytes:
    body = json.dumps(record, allow_nan=False).encode()
    return body[:-1] + b', "crc32": "%08x"}\n' % zlib.crc32(body)


def read_lines(path: Path) -> Iterator[tuple[bytes, dict | None]]:
    """Each line that is not empty, without its end, and its record; None if the line is damaged or no record."""
    with path.open("rb") as file:
        for line in file:
            line = line.rstrip(b"\n")
            if line.strip():
                yield line, _record(line)


def write_answers(path: Path, records: Iterable[dict]) -> None:
    """Replace a log by one with these records, or leave it as it was."""
    with whole_file(path) as temporary, temporary.open("wb") as file:
        file.writelines(map(answer_line, records))


def keep_lines(path: Path, lines: Iterable[bytes]) -> None:
    """Append lines as they are to a file that nothing reads: nothing is deleted."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with naming(path), os.fdopen(_open_end(path), "ab") as file:
        file.writelines(line + b"\n" for line in lines)


def _open_end(path: Path) -> int:
    """A file to append to. Raises OSError for a link."""
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)


def _record(line: bytes) -> dict | None:
    end = _CRC.search(line, len(line) - 22)
    if end is None or end.end() != len(line):
        return None
    body = line[: end.start()] + b"}"
    if zlib.crc32(body) != int(end[1], 16):
        return None
    try:
        record = json.loads(body)
    except ValueError:
        return None
    is_record = isinstance(record, dict) and isinstance(record.get("basis"), dict)
    return record if is_record and isinstance(record.get("raw_output"), str) else None
