"""Tables of comma-separated text: the one place that knows how such a file can be wrong.

A table is refused as a whole if a cell may have moved: then no row of it can be trusted. What the cells mean is left to
those who read them.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from utils.text_files import read_text

LATE_QUOTE = re.compile(r',[ \t]+"(?!")')  # a quote that stands behind a space does not hold a cell together
BYTE_ORDER_MARK = "\ufeff"
Line = tuple[int, list[str]]


@dataclass(frozen=True)
class Columns:
    """Names of columns, in lower case. `key`: two or more of the needed ones, which tell a header from a row.

    Without a header, cells have the order of `needed`, then `optional`. Other columns are ignored, or kept by their
    names where `keeps_others`, which needs a header.
    """

    needed: tuple[str, ...]
    optional: tuple[str, ...] = ()
    needs_header: bool = False
    keeps_others: bool = False

    def __str__(self) -> str:
        return ",".join(self.needed) + "".join(f"[,{name}]" for name in self.optional)


def read_table(path: Path, columns: Columns) -> list[tuple[int, dict[str, str]]]:
    """(line number, cells by column) of every row. Empty lines, and rows of empty cells, are left out.

    Cells are as they are written; an optional column that the file lacks is an empty cell.
    Raises FileNotFoundError, or ValueError naming file and line.
    """
    lines = list(_lines(read_text(path), path))
    if not lines:
        raise ValueError(f"{path}: expected the columns {columns}, got an empty file")
    names, rows = _header(lines, columns, path)
    wanted = dict.fromkeys((*columns.needed, *columns.optional, *(names if columns.keeps_others else ())))
    places = {name: names.index(name) for name in wanted if name and name in names}
    empty = dict.fromkeys(columns.optional, "")
    return [
        (number, empty | {name: cells[place] for name, place in places.items()})
        for number, cells in _checked(rows, names, path)
    ]


def check_names(names: Iterable[tuple[int, str]], what: str, path: Path) -> None:
    """Raises ValueError for two names of (line, name) pairs that differ only by case, spaces or Unicode's spelling."""
    known: dict[str, tuple[int, str]] = {}
    for number, name in names:
        folded = "".join(unicodedata.normalize("NFKC", name).casefold().split())
        if not folded.isascii():
            folded = "".join(letter for letter in folded if unicodedata.category(letter) != "Cf")  # of no width
        first, other = known.setdefault(folded, (number, name))
        if other != name:
            raise ValueError(
                f"{path} line {number}: expected a {what} that differs clearly from all others, got {name!r} beside"
                f" {other!r} in line {first}"
            )


def _lines(text: str, path: Path) -> Iterator[Line]:
    """(number of its first line, cells) of every row that is not empty. Raises ValueError where a quote is wrong."""
    source = list(io.StringIO(text, newline=""))
    reader = csv.reader(source, strict=True)
    while True:
        start = reader.line_num + 1
        where = f"{path} line {start}"
        try:
            cells = next(reader, None)
        except csv.Error as error:
            if reader.line_num > start or "end of data" in str(error):
                raise ValueError(_open_quote(where, source[start - 1])) from None
            raise ValueError(f"{where}: expected comma-separated UTF-8 text, got something else ({error})") from None
        if cells is None:
            return
        if reader.line_num > start:
            raise ValueError(_open_quote(where, source[start - 1]))
        if LATE_QUOTE.search(source[start - 1]) and any(cell.lstrip(" \t")[:1] == '"' != cell[:1] for cell in cells):
            raise ValueError(f'{where}: expected a quote right behind its comma, got a space between them (, "...")')
        if any(cell.lstrip()[:1] == BYTE_ORDER_MARK for cell in cells):
            raise ValueError(f"{where}: expected one table, got a byte order mark within it: were two files joined?")
        if any(cell.strip() for cell in cells):
            yield start, cells


def _open_quote(where: str, line: str) -> str:
    return f"{where}: expected a quote that is closed on its line, got one that stays open: {_excerpt(line)}"


def _header(lines: list[Line], columns: Columns, path: Path) -> tuple[list[str], list[Line]]:
    """The names of the columns, and the rows. Raises ValueError for columns that are not those."""
    number, first = lines[0]
    where = f"{path} line {number}"
    names = [cell.strip().lower() for cell in first]
    known = set(names) & {*columns.needed, *columns.optional}
    if len(known) < 2 and len(first) < len(columns.needed):
        raise ValueError(f"{where}: expected the columns {columns}, got {_excerpt(','.join(first))}{_separator(first)}")
    if len(known) < 2:
        if columns.needs_header:
            raise ValueError(f"{where}: expected a header with the columns {columns}, got {_excerpt(','.join(first))}")
        return _names_by_place(lines, columns), lines
    missing = [name for name in columns.needed if name not in names]
    if missing:
        raise ValueError(f"{where}: expected the columns {columns}, got none called {', '.join(missing)}")
    counted = set(filter(None, names)) if columns.keeps_others else known
    twice = [name for name, count in Counter(names).items() if name in counted and count > 1]
    if twice:
        raise ValueError(f"{where}: expected each column once, got {twice[0]} twice")
    return names, lines[1:]


def _names_by_place(lines: list[Line], columns: Columns) -> list[str]:
    """The names of a table without a header: it has as many columns as most of its rows have cells."""
    counts = Counter(len(cells) for _, cells in lines)
    width = max(counts, key=lambda width: (counts[width], -width))
    names = [*columns.needed, *columns.optional][:width]
    return names + [""] * (width - len(names))


def _checked(rows: list[Line], names: Sequence[str], path: Path) -> Iterator[Line]:
    """Rows that have one cell for each column. Raises ValueError for the first that has not.

    Commas at the ends of all lines, as spreadsheets write them, do no harm. At the end of one line only, they may come
    from a text that was cut at its own comma.
    """
    lengths = {len(cells) for _, cells in rows}
    if len(lengths) == 1 and not any(names[min(lengths) :]):
        names = names[: min(lengths)]
    if len(lengths) == 1 < len(rows) and not any(cell.strip() for _, cells in rows for cell in cells[len(names) :]):
        rows = [(number, cells[: len(names)]) for number, cells in rows]
    for number, cells in rows:
        where, got = f"{path} line {number}", _excerpt(",".join(cells))
        if len(cells) != len(names):
            hint = " (a text with a comma needs quotes)" if len(cells) > len(names) else _separator(cells)
            raise ValueError(
                f"{where}: expected {len(names)} cells, one for each column, got {len(cells)}: {got}{hint}"
            )
        if [cell.strip().lower() for cell in cells] == list(names):
            raise ValueError(f"{where}: expected a row, got the header once more")
        yield number, cells


def _separator(cells: list[str]) -> str:
    """A hint for a line that is cut at something else than commas."""
    line = ",".join(cells)
    for name, sign in (("semicolons", ";"), ("tabs", "\t"), ("bars", "|")):
        if line.count(sign) > len(cells):
            return f" (cut at {name}: save it with commas)"
    return ""


def _excerpt(text: str) -> str:
    return repr(text.strip()[:80])
