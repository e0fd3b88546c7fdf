"""Read replies of any auditor: JSON lines with `reply` in, JSON lines with the audit out, in the same order.

python -m scripts.evaluate.read_reply replies.jsonl --level lenient
A line that is written has iou, mask_type and action, each null where the reply does not say it, and iou_level,
mask_type_level and action_level: tag, alias, phrase or prose, or null.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from configs.scoring import ReadingArguments
from scripts.program import run_program
from utils.reading.reply import FIELDS, Reading, read_reply


def main(argv: list[str] | None = None) -> int:
    """Exit code 0, or 2 after one sentence on stderr for input that cannot be read."""
    return run_program("read_reply", (ReadingArguments,), read_replies, argv, __doc__, logging.WARNING)


def read_replies(args: ReadingArguments) -> None:
    """Read every line, and print what was read."""
    name, lines = ("standard input", sys.stdin.buffer.read()) if args.replies == "-" else _file(args.replies)
    for reply in _replies(lines, name):
        print(json.dumps(reading_row(read_reply(reply, args.level))))


def reading_row(reading: Reading) -> dict:
    """The three fields, then their levels."""
    row = {name: getattr(reading.audit, name) for name in FIELDS}
    return row | {f"{name}_level": reading.levels[name] for name in FIELDS}


def _file(path: str) -> tuple[str, bytes]:
    if not Path(path).is_file():
        raise ValueError(f"{path}: expected a JSON lines file, found no such file")
    return path, Path(path).read_bytes()


def _replies(content: bytes, name: str) -> Iterator[str | None]:
    for number, line in enumerate(_lines(content, name), start=1):
        where = f"{name}, line {number}"
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            raise ValueError(f"{where}: expected one JSON object, got {line.strip()[:60]!r}") from None
        if not isinstance(row, dict) or "reply" not in row or not isinstance(row["reply"], str | None):
            raise ValueError(f"{where}: expected an object with `reply`, a text or null, got {line.strip()[:60]!r}")
        yield row["reply"]


def _lines(content: bytes, name: str) -> Iterable[str]:
    try:
        return content.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"{name}: expected UTF-8 text, got something else ({error.reason})") from None


if __name__ == "__main__":
    sys.exit(main())
