"""The rows of metadata.csv of Ref-AVSBench and R2-AVSBench: one row is one expression about one object, or about none.

A benchmark of audits takes fewer rows (`dataset.construction.referrals`). Here null references count, and so do uids
that stand in several rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from dataset.benchmark.metadata import csv_lines, int_or_none
from dataset.benchmark.uids import is_null, object_of, uid_parts
from dataset.construction.referrals import is_plain_name

COLUMNS = ("vid", "uid", "split", "fid", "exp")
NULL_SPLIT = "test_n"
SPLIT_NAMES = ("train", "val", "test_s", "test_u", NULL_SPLIT)
_LISTED = 5  # as many problems are shown in an error


@dataclass(frozen=True)
class Expression:
    """`text` is as written in the file. `repeat` counts the rows before it with the same uid: 0 for nearly all."""

    uid: str
    split: str
    fid: int
    text: str
    repeat: int = 0

    @property
    def vid(self) -> str:
        """The video, as the uid has it. Column vid is not used: for null references it names another folder."""
        return uid_parts(self.uid)[0]

    @property
    def category(self) -> str:
        """The object's name as the uid has it; "null" where there is none."""
        return object_of(self.uid)

    @property
    def is_null(self) -> bool:
        return is_null(self.uid)

    @property
    def key(self) -> str:
        """The name of its folder of masks: the uid; "<uid>~2" for the second row with the same uid."""
        return self.uid if self.repeat == 0 else f"{self.uid}~{self.repeat + 1}"


def read_expressions(path: Path, splits: Collection[str]) -> list[Expression]:
    """The rows of these splits, in file order. Columns after the fifth are ignored; a header row is optional.

    Raises FileNotFoundError, or ValueError that names the lines that do not fit or says that no row is of these splits.
    """
    found, problems, seen, others = [], [], Counter(), Counter()
    for number, (line, cells) in enumerate(csv_lines(path)):
        if number == 0 and {"vid", "uid"} <= {cell.strip().lower() for cell in cells}:
            _check_header(cells, path)
            continue
        split = cells[2].strip() if len(cells) > 2 else ""
        if split not in splits and len(cells) > 2:
            others[split] += 1
            continue
        try:
            expression = _expression(cells, seen)
        except ValueError as error:
            problems.append(f"line {line}: {error}")
            continue
        seen[expression.uid] += 1
        found.append(expression)
    if problems:
        shown = "; ".join(problems[:_LISTED]) + ("; ..." if len(problems) > _LISTED else "")
        raise ValueError(f"{path}: {len(problems)} rows cannot be used: {shown}")
    if not found:
        there = ", ".join(sorted(others)) or "no rows"
        raise ValueError(f"{path}: expected rows of split {' or '.join(splits)}, got {there}")
    return found


def _check_header(cells: list[str], path: Path) -> None:
    names = [cell.strip().lower() for cell in cells[: len(COLUMNS)]]
    if names != list(COLUMNS):
        raise ValueError(f"{path}: expected the columns {','.join(COLUMNS)} in this order, got {','.join(names)}")


def _expression(cells: list[str], seen: Counter) -> Expression:
    if len(cells) < len(COLUMNS):
        raise ValueError(f"expected {len(COLUMNS)} columns {','.join(COLUMNS)}, got {len(cells)}")
    uid, split, fid = (cell.strip() for cell in cells[1:4])
    parts = uid_parts(uid)
    if len(parts) < 3 or not all(parts[:2]) or not is_plain_name(uid):
        raise ValueError(f"expected a uid <vid>_<object>_<number>, got {uid!r}")
    if (number := int_or_none(fid)) is None or number < 0:
        raise ValueError(f"expected a whole number from 0 as fid, got {fid!r}")
    if not cells[4].strip():
        raise ValueError(f"expected an expression for {uid}, got none")
    return Expression(uid, split, number, cells[4], seen[uid])
