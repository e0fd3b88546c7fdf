"""What stands in the tags of a reply, the released ones and their aliases. Works on clean text (see `cleaning`)."""

from __future__ import annotations

import re
from collections.abc import Callable

TAG = re.compile(r"<\s*([a-z][a-z _-]*?)\s*>([^<]*)")
ANGLED = re.compile(r"<\s*/?\s*([a-z0-9.][a-z0-9 _.,%-]*?)\s*/?\s*>")
# Names without what stands between their words: "mask type", "mask_type" and "mask-type" are one.
ALIASES = {
    "iou": ("iouscore", "iouvalue", "iouwithgt", "iouestimate", "estimatediou", "predictediou", "score"),
    "mask_type": ("mask", "type", "maskclass", "maskcategory", "category"),
    "action": ("recommendedaction", "recommendaction", "finalaction", "recommendation", "recommend", "decision"),
}
BETWEEN_WORDS = re.compile(r"[ _-]")


def plain_name(name: str) -> str:
    return BETWEEN_WORDS.sub("", name)


def is_alias(name: str, of: str) -> bool:
    """Whether a tag's name stands for the field `of`."""
    return plain_name(name) in (plain_name(of), *ALIASES[of])


NAMES = {"audit", *map(plain_name, ALIASES), *(name for names in ALIASES.values() for name in names)}


def tag_value(text: str, is_name: Callable[[str], bool], read: Callable, cut_off: bool):
    """What `read` makes of the last tag with such a name that holds something readable.

    In a text that was `cut_off`, a last tag that was not closed may hold half a word or number: it is not read.
    """
    for found in reversed(list(TAG.finditer(text))):
        is_whole = found.end() < len(text) or not cut_off
        if is_name(found[1]) and is_whole:
            value = read(found[2])
            if value is not None:
                return value
    return None


def without_tags(text: str) -> str:
    """The text with a space for each tag, and without the angle brackets around anything else: "<0.8>"."""
    closed = {found[1] for found in ANGLED.finditer(text) if found[0].startswith("</")}
    is_tag = closed.union(NAMES).__contains__
    return ANGLED.sub(lambda found: " " if is_tag(found[1]) or is_tag(plain_name(found[1])) else found[1], text)
