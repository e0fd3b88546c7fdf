"""The rows of metadata.csv of Ref-AVSBench and R2-AVSBench: one row is one expression about one object, or about none.

A benchmark of audits takes fewer rows (`dataset.construction.referrals`). Here null references count, and so do uids
that stand in several rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from dataset.benchmark.metadata import SOURCE_COLUMNS, CsvRow, metadata_rows, number_faults
from dataset.benchmark.uids import is_null, object_of, uid_parts
from dataset.construction.referrals import is_plain_name
from utils.words import fault_of_words

NULL_SPLIT = "test_n"
SPLIT_NAMES = ("train", "val", "test_s", "test_u", NULL_SPLIT)
_LISTED = 5  # as many problems are shown in an error


@dataclass(frozen=True)
class Expression:
    """`text` is as written in the file. `repeat` counts the rows before it with the same uid: 0 for nearly all.

    `key_frame`: the frame that the metadata choose for audits, where they do.
    """

    uid: str
    split: str
    fid: int
    text: str
    repeat: int = 0
    key_frame: int | None = None

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
    """The rows of these splits, in file order. A header row is optional.

    Raises FileNotFoundError, or ValueError that names the lines that do not fit or says that no row is of these splits.
    """
    found, problems, seen, others = [], [], Counter(), Counter()
    for line, row in metadata_rows(path, SOURCE_COLUMNS):
        if row.split not in splits:
            others[row.split] += 1
            continue
        try:
            expression = _expression(row, seen)
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


def _expression(row: CsvRow, seen: Counter) -> Expression:
    parts = uid_parts(row.uid)
    if len(parts) < 3 or not all(parts[:2]) or not is_plain_name(row.uid):
        raise ValueError(f"expected a uid <vid>_<object>_<number>, got {row.uid!r}")
    for fault in number_faults(row):
        raise ValueError(fault)
    if fault := fault_of_words(row.exp):
        raise ValueError(f"expression of {row.uid}: {fault}")
    key_frame = None if row.kfid == "" else row.kfid
    return Expression(row.uid, row.split, row.fid, row.exp, seen[row.uid], key_frame)
