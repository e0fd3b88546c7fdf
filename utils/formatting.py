"""Values as text for a terminal, a table or a page."""

from __future__ import annotations

import re
import unicodedata

FORMULA = ("=", "+", "-", "@", "\N{FULLWIDTH EQUALS SIGN}", "\N{FULLWIDTH PLUS SIGN}")
FORMULA += ("\N{FULLWIDTH HYPHEN-MINUS}", "\N{FULLWIDTH COMMERCIAL AT}")


def number_or_dash(value: float | None, digits: int) -> str:
    """The number with that many decimals; "-" where there is none."""
    return "-" if value is None else f"{value:.{digits}f}"


def printable(text: str, keep: str = "\n\t") -> str:
    """The text with a mark in place of everything that steers a terminal, but for the characters in `keep`.

    These are control characters (escape codes begin with one), line separators, halves of characters, and the codes
    that turn the direction of what follows.
    """
    return "".join("\N{REPLACEMENT CHARACTER}" if c not in keep and _steers(c) else c for c in text)


def _steers(character: str) -> bool:
    is_override = "\u202a" <= character <= "\u202e" or "\u2066" <= character <= "\u2069"
    return is_override or unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")


def one_line(text: str) -> str:
    """The text with line breaks and runs of spaces as one space each, and a mark in place of control characters."""
    return printable(" ".join(text.split()), keep="")


def plain_cell(text: str) -> str:
    """The text as a cell of a CSV file for people: on one line, and no formula to a spreadsheet program.

    What would be one gets an apostrophe in front, which spreadsheets read as "this is text".
    """
    shown = one_line(text)
    return f"'{shown}" if shown.startswith(FORMULA) and len(shown) > 1 else shown


def without_tags(answer: str) -> str:
    """An auditor's answer as one line of plain words."""
    return re.sub(r" (?=[.,;:!?](\s|$))", "", one_line(re.sub(r"</?\w+>", " ", answer)))
