"""Files of settings in JSON: an object, each of whose keys may hold some values only. Tables say which.

A table is a dict of key -> Kind, or -> a table for an object within the object. A key that ends in "?" may be missing;
where it may be null, its kind says so. Of keys that a table does not name, only the numbers are judged: NaN and
Infinity, which Python's reader takes, are no JSON. A `Closed` table takes no other keys.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from utils.text_files import read_json

UNBOUNDED = ("time_step_limit",)  # Infinity means "no limit" in published configurations of Mamba layers


@dataclass(frozen=True)
class Kind:
    """`expected` names the values in messages."""

    expected: str
    holds: Callable[[Any], bool]


class Closed(dict):
    """A table that takes no other keys than its own."""


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and abs(value) <= 1e300  # NaN is not


def number(least: float, most: float) -> Kind:
    return Kind(f"a number from {least} to {most}", lambda value: _is_number(value) and least <= value <= most)


TEXT = Kind("text", lambda value: isinstance(value, str))
FLAG = Kind("true or false", lambda value: isinstance(value, bool))
SHARE = number(0, 1)
POSITIVE = Kind("a number above 0", lambda value: _is_number(value) and value > 0)
ANYTHING = Kind("any value", lambda value: True)


def whole(least: int, most: int) -> Kind:
    return Kind(f"a whole number from {least} to {most}", lambda value: type(value) is int and least <= value <= most)


def one_of(names: Collection[str]) -> Kind:
    return Kind(f"one of {few(names)}", lambda value: isinstance(value, str) and value in names)


def or_null(kind: Kind) -> Kind:
    return Kind(f"{kind.expected}, or null", lambda value: value is None or kind.holds(value))


def either(first: Kind, second: Kind) -> Kind:
    return Kind(f"{first.expected} or {second.expected}", lambda value: first.holds(value) or second.holds(value))


def many(kind: Kind, count: int | None = None, least: int = 0) -> Kind:
    """A list of values of one kind, `count` or at least `least` of them."""
    number = f"{count} values" if count is not None else f"at least {least} values" if least else "values"

    def holds(value: object) -> bool:
        fits = isinstance(value, list | tuple) and all(map(kind.holds, value))
        return fits and (len(value) == count if count is not None else len(value) >= least)

    return Kind(f"a list of {number}, each {kind.expected}", holds)


def read_object(path: str | Path, table: Mapping | None = None) -> dict:
    """The JSON object in a file, with or without a byte order mark, compared with a table if one is given.

    Raises FileNotFoundError, or ValueError naming the file and the key.
    """
    content = read_json(path)
    if not isinstance(content, dict):
        raise ValueError(f"{path}: expected a JSON object, got {type(content).__name__}")
    _expect_finite(content, str(path))
    check_settings(content, table or {}, path)
    return content


def check_settings(content: Mapping, table: Mapping, where: str | Path) -> None:
    """Raises ValueError that begins with `where` and names the first key that does not hold what the table says."""
    for name, kind in table.items():
        key, optional = name.removesuffix("?"), name.endswith("?")
        expected = "an object" if isinstance(kind, Mapping) else kind.expected
        if key not in content:
            if not optional:
                raise ValueError(f"{where}: {key}: expected {expected}, got nothing")
            continue
        value = content[key]
        fits = isinstance(value, Mapping) if isinstance(kind, Mapping) else kind.holds(value)
        if not fits:
            raise ValueError(f"{where}: {key}: expected {expected}, got {shown(value)}")
        if isinstance(kind, Mapping):
            check_settings(value, kind, f"{where}: {key}")
    if isinstance(table, Closed):
        known = [name.removesuffix("?") for name in table]
        if more := [key for key in content if key not in known]:
            raise ValueError(f"{where}: expected no other keys than {', '.join(known)}, got {few(map(repr, more))}")


def few(names: Collection[str], most: int = 5) -> str:
    """The first of some names, and how many more there are."""
    names = list(names)
    return ", ".join(name[:100] for name in names[:most]) + (
        f" and {len(names) - most} more" if len(names) > most else ""
    )


def shown(value: object) -> str:
    """A value as it stands in a message: short, and without control codes."""
    if isinstance(value, int) and abs(value) > 10**40:
        return "a whole number of more than 40 digits"  # Python writes no number of more than 4,300
    text = ascii(value) if not isinstance(value, Mapping | list | tuple) or len(value) <= 8 else f"{len(value)} values"
    return text if len(text) <= 80 else f"{text[:80]}..."


def one_line(error: BaseException) -> str:
    """A library's message, short and in one line, with the kind of error."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}".rstrip(": ")


def _expect_finite(value: object, where: str) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{where}: expected a number, got {value}")
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key not in UNBOUNDED:
                _expect_finite(inner, f"{where}: {key[:60]}")
    elif isinstance(value, list):
        for inner in value:
            _expect_finite(inner, where)
