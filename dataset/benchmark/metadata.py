"""metadata.csv: one row says one expression about one object of one video. Written, and read row by row.

Which rows a new benchmark can be made from is decided in `dataset.construction.referrals`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dataset.benchmark.samples import Benchmark, Problem

CSV_COLUMNS = ("vid", "uid", "split", "fid", "exp", "kfid")


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


def csv_lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """(line number, cells) of every row that is not empty, the header among them.

    Raises FileNotFoundError, or ValueError naming the file.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; expected columns {','.join(CSV_COLUMNS)}")
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.reader(lines)
            yield from ((reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path}: expected comma-separated UTF-8 text, got something else ({error})") from None


def read_metadata(path: Path, benchmark: Benchmark, split: str) -> dict[str, CsvRow]:
    """metadata.csv by uid. A header row is optional; columns after the sixth are ignored."""
    rows: dict[str, CsvRow] = {}
    for number, cells in csv_lines(path):
        if number == 1 and [c.strip().lower() for c in cells[:3]] == list(CSV_COLUMNS[:3]):
            continue
        where = f"metadata.csv line {number}"
        if 2 < len(cells) < len(CSV_COLUMNS) and cells[2].strip() != split:
            continue
        if len(cells) < len(CSV_COLUMNS):
            uid = cells[1] if len(cells) > 1 else "(no uid)"
            text = f"{where}: expected {len(CSV_COLUMNS)} columns, got {len(cells)}"
            benchmark.problems.append(Problem(uid, text))
            continue
        vid, uid, row_split, fid, _, kfid = (cell.strip() for cell in cells[: len(CSV_COLUMNS)])
        row = CsvRow(vid, uid, row_split, _int_or_text(fid), cells[4], _int_or_text(kfid))
        if row.uid in rows and split in (row.split, rows[row.uid].split):
            benchmark.problems.append(Problem(row.uid, f"{where}: expected each uid once, got it twice"))
            continue
        rows[row.uid] = row
    return rows


def _int_or_text(cell: str) -> int | str:
    value = int_or_none(cell)
    return cell if value is None else value


def int_or_none(value) -> int | None:
    """The value as a whole number, if it is one."""
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):  # OverflowError: infinity, which JSON files may contain
        return None
