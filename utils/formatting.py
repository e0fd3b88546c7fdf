"""Values as text for a terminal, a table or a page."""

from __future__ import annotations

import re
import unicodedata

FORMULA = ("=", "+", "-", "@", "\N{FULLWIDTH EQUALS SIGN}", "\N{FULLWIDTH PLUS SIGN}")
FORMULA += ("\N{FULLWIDTH HYPHEN-MINUS}", "\N{FULLWIDTH COMMERCIAL AT}")


def number_or_dash(value: float | None, digits: int) -> str:
    """The number with that many decimals; "-" where there is none."""
    return "-" if value is None else f"{value:.{digits}f}"


def one_line(text: str) -> str:
    """The text with line breaks and runs of spaces as one space each, and a mark in place of control characters."""
    words = " ".join(text.split())
    return "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in ("Cc", "Cs") else c for c in words)


def plain_cell(text: str) -> str:
    """The text as a cell of a CSV file for people: on one line, and no formula to a spreadsheet program.

    What would be one gets an apostrophe in front, which spreadsheets read as "this is text".
    """
    shown = one_line(text)
    return f"'{shown}" if shown.startswith(FORMULA) and len(shown) > 1 else shown


def without_tags(answer: str) -> str:
    """An auditor's answer as one line of plain words."""
    return re.sub(r" (?=[.,;:!?](\s|$))", "", one_line(re.sub(r"</?\w+>", " ", answer)))
