"""What stands in the tags of a reply, the released ones and their aliases. Works on clean text (see `cleaning`)."""

from __future__ import annotations

import re
from collections.abc import Callable

TAG = re.compile(r"<\s*([a-z][a-z _-]*?)\s*>([^<]*)")
ANGLED = re.compile(r"<\s*/?\s*([a-z0-9][a-z0-9 _.,%-]*?)\s*/?\s*>")
ALIASES = {
    "iou": ("iou_score", "iou_value", "iou_with_gt", "score"),
    "mask_type": ("mask", "masktype", "mask type", "mask-type", "type"),
    "action": (
        "recommended_action",
        "recommended action",
        "recommend_action",
        "recommendation",
        "recommend",
        "decision",
    ),
}

NAMES = {"audit", *ALIASES, *(name for names in ALIASES.values() for name in names)}


def tag_value(text: str, names: tuple[str, ...], read: Callable, cut_off: bool):
    """What `read` makes of the last tag with one of these names that holds something readable.

    In a text that was `cut_off`, a last tag that was not closed may hold half a word or number: it is not read.
    """
    for found in reversed(list(TAG.finditer(text))):
        is_whole = found.end() < len(text) or not cut_off
        if found[1] in names and is_whole:
            value = read(found[2])
            if value is not None:
                return value
    return None


def without_tags(text: str) -> str:
    """The text with a space for each tag, and without the angle brackets around anything else: "<0.8>"."""
    return ANGLED.sub(lambda found: " " if found[1] in NAMES else found[1], text)
