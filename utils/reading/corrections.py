"""What a reply takes back: "0.9, no wait, 0.8"; "Actually, the bow is gone". Works on clean text (see `cleaning`)."""

from __future__ import annotations

import re

from utils.reading.ious import VALUE
from utils.reading.negation import is_denied
from utils.reading.words import ANY_ACTION, ANY_TYPE

SECOND_THOUGHT = (
    r"wait|actually|correction|corrected(?:\sto)?|on\ssecond\sthoughts?|(?:scratch|strike)\sthat|make\sthat|i\smean"
    r"|my\smistake|i\s(?:stand\scorrected|take\sthat\sback|was\swrong)"
    r"|(?:on|upon)\s(?:a\s)?(?:closer|second)\s(?:look|inspection)|looking\s(?:again|closer|more\sclosely)"
    r"|let\sme\s(?:correct|revise|reconsider|re-?(?:evaluate|assess|check|think)|fix)"
)
INTERJECTION = r"(?:no(?=\s?[,.:;!]|\swait)|oh|hm+|but|or|sorry)"
GAP = r"[\s.,;:!()>→\u2013\u2014-]*"
LINE = r"(?:^|\n)[\s#>\u2022-]{0,8}"
# What is read on its own: all from here on.
TURN = re.compile(
    rf"(?:^|(?<=[.!?;:,(\n]\s)|(?<=[(\n]))(?:{INTERJECTION}\b{GAP})*(?:{SECOND_THOUGHT})\b"
    r"|\b(?:final|corrected|revised|updated)\s"
    rf"(?:answer|audit|verdict|evaluation|assessment|result|output|decision)\s?:|{LINE}(?:final|answer)\s?:"
)
# One value in the place of another of its kind.
LINK = (
    rf"{GAP}(?:{INTERJECTION}\b{GAP})*(?:(?:{SECOND_THOUGHT}|rather|(?<=no)(?=\s?,))\b{GAP})+"
    r"(?:it\sis\s|it's\s|an?\s|to\s|about\s)*"
)
REPLACED = [re.compile(rf"{kind}{LINK}(?={kind})") for kind in (VALUE, ANY_TYPE, ANY_ACTION)]
LOOK_BACK = 60


def without_replaced(text: str) -> str:
    """ "iou: 0.9, no wait, 0.8" -> "iou: 0.8"; so with types and actions."""
    for pattern in REPLACED:
        text = pattern.sub(_kept, text)
    return text


def parts(text: str) -> list[str]:
    """The text up to its first second thought, then from each one to the next."""
    starts = [0, *(found.start() for found in TURN.finditer(text)), len(text)]
    return [text[start:end] for start, end in zip(starts, starts[1:], strict=False)]


def _kept(found: re.Match) -> str:
    """A value that is denied was not given: "not perfect, or rather merge"."""
    return found[0] if is_denied(found.string[max(found.start() - LOOK_BACK, 0) : found.start()]) else ""
