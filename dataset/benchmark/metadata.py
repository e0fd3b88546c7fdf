"""metadata.csv: one row says one expression about one object of one video. Written, and read row by row.

Which rows a new benchmark can be made from is decided in `dataset.construction.referrals`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dataset.benchmark.samples import Benchmark, Problem
from dataset.media.lengths import NUM_FRAMES
from utils.splits import SPLITS
from utils.tables import Columns, check_names, read_table

CSV_COLUMNS = ("vid", "uid", "split", "fid", "exp", "kfid")
SOURCE_COLUMNS = Columns(CSV_COLUMNS[:5], optional=CSV_COLUMNS[5:])  # of a source: no key frames needed
MAX_OBJECTS = 10**6  # in one video


@dataclass(frozen=True)
class CsvRow:
    """One row of metadata.csv. A field that should be a number and is not stays text."""

    vid: str
    uid: str
    split: str
    fid: int | str
    exp: str
    kfid: int | str


def metadata_text(rows: list[CsvRow]) -> str:
    """metadata.csv, with its header."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    writer.writerows([row.vid, row.uid, row.split, row.fid, row.exp, row.kfid] for row in rows)
    return text.getvalue()


def metadata_rows(path: Path, columns: Columns) -> Iterator[tuple[int, CsvRow]]:
    """(line number, row) of metadata.csv. The expression is as written; spaces around all others are taken away.

    Raises FileNotFoundError, or ValueError naming file and line, for what is no such table, for names of videos or uids
    that differ only by case, spaces or Unicode's spelling, and for a split that so differs from a known one.
    """
    table = [
        (number, {k: v if k == "exp" else v.strip() for k, v in cells.items()})
        for number, cells in read_table(path, columns)
    ]
    check_names(((number, cells["vid"]) for number, cells in table), "vid", path)
    check_names(((number, cells["uid"]) for number, cells in table), "uid", path)
    for number, cells in table:
        _check_split(cells["split"], f"{path} line {number}")
        numbers = {name: _int_or_text(cells[name]) for name in ("fid", "kfid")}
        yield number, CsvRow(**cells | numbers)


def number_faults(row: CsvRow) -> Iterator[str]:
    """What is wrong with the numbers of a row; an empty kfid is no fault, for not every row needs one."""
    if not (isinstance(row.fid, int) and 0 <= row.fid < MAX_OBJECTS):
        yield f"fid: expected the number of an object, got {row.fid!r}"
    if row.kfid != "" and not (isinstance(row.kfid, int) and 0 <= row.kfid < NUM_FRAMES):
        yield f"kfid: expected a frame number from 0 to {NUM_FRAMES - 1}, got {row.kfid!r}"


def read_metadata(path: Path, benchmark: Benchmark, split: str) -> dict[str, CsvRow]:
    """metadata.csv by uid; faults of rows of this split are added to `benchmark.problems`. A header row is optional.

    Raises as `metadata_rows`.
    """
    rows: dict[str, CsvRow] = {}
    for number, row in metadata_rows(path, Columns(CSV_COLUMNS)):
        where = f"metadata.csv line {number}"
        if row.uid in rows and split in (row.split, rows[row.uid].split):
            benchmark.problems.append(Problem(row.uid, f"{where}: expected each uid once, got it twice"))
            continue
        if row.split == split:
            if not row.uid:
                benchmark.problems.append(Problem("(no uid)", f"{where}: expected a uid, got none"))
            benchmark.problems += [Problem(row.uid, f"{where}: {fault}") for fault in number_faults(row)]
        rows[row.uid] = row
    return rows


def _check_split(split: str, where: str) -> None:
    """Splits of other names are another dataset's, and passed over; a slip of the pen would lose its rows."""
    meant = re.sub(r"[\W_]+", "_", split.casefold())
    if split not in SPLITS and meant in SPLITS:
        raise ValueError(f"{where}: split: expected {meant}, got {split!r}")


def _int_or_text(cell: str) -> int | str:
    return int(cell) if cell.isascii() and cell.isdigit() and len(cell) <= 9 else cell


def int_or_none(value) -> int | None:
    """The value as a whole number, if it is one."""
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):  # OverflowError: infinity, which JSON files may contain
        return None
