"""Words from data that go into a prompt: the one place that knows what makes them no plain words."""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress

from utils.tokens import CONTROL_TOKENS, PLACEHOLDERS, SPECIAL_TOKENS, control_tokens, reserved_tokens

LONGEST = 1000  # characters of an expression: an auditor's prompt has room for so many, and no phrase is longer
INVISIBLE = set("\u115f\u1160\u2800\u3164\uffa0")  # letters and signs that show nothing
NOTHINGS = {"nan", "none", "null", "nil", "n/a", "#n/a", "<na>", "nat", "undefined", "#ref!", "#name?", "#value!"}
ENTITIES = re.compile(r"&(?:[a-z]{2,8}|#[0-9]{1,6}|#x[0-9a-f]{1,5});", re.IGNORECASE)
QUOTES = re.compile(r'(?<![0-9])"')  # behind a number it stands for inches


def fault_of_words(text: str) -> str | None:
    """What is wrong with an expression or a name: "expected ..., got ..."; None where nothing is.

    It may hold letters of any script, emoji, quotes, marks of writing direction and joiners of no width. It may not be
    empty to the eye, hold half a character, or hold a token that a tokenizer reads as a command.
    """
    if not any(unicodedata.category(c)[0] in "LNS" and c not in INVISIBLE for c in text):
        return f"expected words, got {'none' if not text.strip() else repr(text[:60])}"
    if len(text) > LONGEST:
        return f"expected at most {LONGEST} characters, got {len(text)}"
    if wrong := next((c for c in text if unicodedata.category(c) == "Cs"), None):
        return f"expected whole characters, got U+{ord(wrong):04X}, which is half of one"
    if reserved := reserved_tokens(text):
        return f"expected plain words, got the reserved {', '.join(reserved)}"
    return None


def doubt_of_words(text: str) -> str | None:
    """What is doubtful about words that can be used.

    Control characters and line breaks, U+FFFD, which stands where a character was lost, UTF-8 that was read as Latin-1,
    codes of HTML, what programs write for an empty cell, and a quote without its partner, which tables are cut at.
    """
    if text.strip().casefold() in NOTHINGS:
        return f"expected words, got {text.strip()!r}, which programs write for an empty cell"
    if wrong := next((c for c in text.strip() if c == "\ufffd" or _steers(c)), None):
        return f"expected plain text, got the control character U+{ord(wrong):04X}"
    if (meant := _misread(text)) != text:
        return f"expected UTF-8 text, got {text[:60]!r}, which may stand for {meant[:60]!r}"
    if code := ENTITIES.search(text):
        return f"expected plain text, got the HTML code {code[0]!r}"
    if len(QUOTES.findall(text)) % 2:
        return f"expected quotes in pairs, got one alone: {text[:60]!r}"
    return None


def _steers(character: str) -> bool:
    return character != "\t" and unicodedata.category(character) in ("Cc", "Zl", "Zp")


def _misread(text: str) -> str:
    """The text, or what it was before its UTF-8 was read as another encoding: "café" of "cafÃ©"."""
    if text.isascii():
        return text
    for encoding in ("cp1252", "latin-1"):
        with suppress(UnicodeError):
            return text.encode(encoding).decode()
    return text


def fault_of_response(text: str) -> str | None:
    """What is wrong with an answer to learn, which may hold tags of answers and end with `</s>`; None if nothing."""
    body = re.sub(r"</s>\s*$", "", text)
    wrong = [token for token in (*PLACEHOLDERS, *CONTROL_TOKENS) if token in body]
    wrong += [token for token in control_tokens(body) if token not in (*wrong, *SPECIAL_TOKENS)]
    return f"expected words and tags of answers, got {', '.join(wrong)}" if wrong else None
