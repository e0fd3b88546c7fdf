"""The lines of a JSON lines file of answers, each checked: what `utils.records` makes Predictions from."""

from __future__ import annotations

import json
import math
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from utils.text_files import unrepeated

# Our own predictions (and the published code's) name the ground truth differently; both can be scored again.
_RECORD_NAME = {"gt_mask_type": "mask_type", "gt_iou": "iou_to_gt", "gt_action": "action"}


def _is_text(value: Any) -> bool:
    return type(value) is str  # JSON gives exact types


def _is_int_or_text(value: Any) -> bool:
    return type(value) is int or type(value) is str


def _is_number(value: Any) -> bool:
    return type(value) is int or (type(value) is float and math.isfinite(value))


def _is_rank(value: Any) -> bool:
    return _is_number(value) and value == int(value)


def _is_iou(value: Any) -> bool:
    # Rounding may give ratios just over 1.
    return _is_number(value) and -1e-6 <= value <= 1 + 1e-6


_FIELD_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {  # field -> what is right, in a function and in words
    "uid": (_is_int_or_text, "an integer or a string"),
    "mask_type": (_is_text, "a string"),
    "iou_to_gt": (_is_iou, "a number in [0, 1]"),
    "action": (_is_text, "a string"),
    "raw_output": (_is_text, "a string"),
    "vid": (_is_int_or_text, "an integer or a string"),
    "frame_idx": (_is_int_or_text, "an integer or a string"),
    "rank": (_is_rank, "a whole number"),
    "mask_path": (_is_text, "a string"),
    "generated_ids": (lambda value: isinstance(value, list), "a list of token ids"),
    "shares": (lambda value: isinstance(value, dict), "an object"),
    "clip_distance": (_is_number, "a number"),
}
# The types of which every value is right: most values need no call.
_RIGHT_TYPES = {"uid": {int, str}, "vid": {int, str}, "frame_idx": {int, str}, "rank": {int}, "generated_ids": {list}}
_RIGHT_TYPES |= dict.fromkeys(("mask_type", "action", "raw_output", "mask_path"), {str}) | {"shares": {dict}}
_KEYS = {name: (name, _RIGHT_TYPES.get(name, set()) | {type(None)}, *rule) for name, rule in _FIELD_RULES.items()}
_KEYS |= {key: _KEYS[name] for key, name in _RECORD_NAME.items()}
# Inside a text its quotes would be written \", so only the key fits.
_IDS = re.compile(rb'"generated_ids": ?\[[0-9, ]*\]')
_decode = json.JSONDecoder(object_pairs_hook=unrepeated).decode
_CORE_FIELDS = ("uid", "mask_type", "iou_to_gt", "action", "raw_output")


class Span(NamedTuple):
    """Bytes of a file, from the start of a line to the end of one; without `stop`, to the end of the file."""

    start: int = 0
    stop: int | None = None


WHOLE = Span()


def each_record(path: Path, ids: bool = True, span: Span = WHOLE) -> Iterator[dict]:
    """The records of the lines in a span; empty lines are passed over. Raises ValueError naming file and line.

    Without `ids`, generated_ids are left out before the line is read: they are half of it.
    """
    if not path.is_file():
        raise ValueError(f"{path}: expected a JSON lines file, found {'a folder' if path.is_dir() else 'no such file'}")
    position = span.start
    with path.open("rb") as file:
        first = 1 + _lines(file, span.start)
        for number, line in enumerate(file, start=first):
            if position == span.stop:
                break
            content = line if position else line.removeprefix(BOM_UTF8)
            position += len(line)
            if not content.strip():
                continue
            try:
                record = _read_line(content if ids else _IDS.sub(b'"generated_ids": null', content))
            except ValueError as error:
                raise ValueError(f"{path}, line {number}: {error}") from None
            yield record


def _lines(file: BinaryIO, size: int) -> int:
    """How many lines there are in the first `size` bytes, behind which the file is left."""
    sizes = (min(2**20, size - start) for start in range(0, size, 2**20))
    return sum(file.read(part).count(b"\n") for part in sizes)


def _read_line(content: bytes) -> dict:
    try:
        line = content.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"expected UTF-8 text, got other bytes ({error.reason})") from None
    try:
        row = _decode(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"expected one JSON object, got {_excerpt(line)} ({error})") from None
    if not isinstance(row, dict):
        raise ValueError(f"expected one JSON object, got {_excerpt(line)}")
    renamed, doubtful, same = _plan(tuple(row), tuple(map(type, row.values())))
    for key in doubtful:
        _, _, is_right, expected = _KEYS[key]
        if not is_right(value := row[key]):
            raise ValueError(f"expected {key} to be {expected} or null, got {_excerpt(json.dumps(value))}")
    for key, other in same:
        if row[key] != row[other]:
            raise ValueError(f"expected {key} and {other} to be the same, got {_excerpt(line)}")
    record = row if renamed is None else {field: row[key] for key, field in renamed}
    if record.keys().isdisjoint(_CORE_FIELDS):
        raise ValueError(f"expected at least one of {', '.join(_CORE_FIELDS)}, got {_excerpt(line)}")
    return record


@lru_cache(256)
def _plan(keys: tuple[str, ...], types: tuple[type, ...]) -> tuple[tuple | None, tuple[str, ...], tuple]:
    """Of rows with these keys and types of values: (key, field) of what is kept, or None if all is kept as it is; the
    keys whose values the type alone does not settle; and pairs of keys that mean the same.
    """
    known = tuple((key, _KEYS[key][0]) for key in keys if key in _KEYS)
    doubtful = [key for key, kind in zip(keys, types, strict=True) if key in _KEYS and kind not in _KEYS[key][1]]
    is_plain = known == tuple((key, key) for key in keys)
    same = tuple((field, key) for key, field in known if key != field and field in keys)
    return None if is_plain else known, tuple(doubtful), same


def _excerpt(text: str) -> str:
    text = text.strip()
    return text if len(text) <= 80 else text[:77] + "..."
