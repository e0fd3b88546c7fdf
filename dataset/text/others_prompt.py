"""The prompt for other auditors: the paper's Section G.4, word for word, in `others_prompt.txt`.

The paper's bold type is left out, and a line break stands between the four media, and between the mask types, where
its layout runs them together.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path

EXPRESSION, SOUND, VIDEO, FRAME, MASK = (
    f"{{{name}}}"
    for name in ("reference text", "real audio data", "real video data", "real key frame", "real binary mask")
)
_SLOT = re.compile("|".join(map(re.escape, (SOUND, VIDEO, FRAME, MASK))))


@cache
def others_prompt() -> str:
    """The text with its slots, without a line break at its end."""
    return Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").rstrip("\n")


def prompt_digest() -> str:
    """The SHA-256 of the text with its slots."""
    return hashlib.sha256(others_prompt().encode()).hexdigest()


def prompt_pieces(expression: str) -> list[str]:
    """The text for one expression, cut at the slots of media: text, slot, text, slot, ..., text."""
    pieces = re.split(f"({_SLOT.pattern})", others_prompt())
    return [piece.replace(EXPRESSION, expression) for piece in pieces]
