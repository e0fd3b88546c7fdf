"""Whether a file can be used, for all programs that check files before they work: the same file, the same verdict.

A verdict is the error of the reader, or `Usable`, which may have a doubt. Doubts are logged as warnings.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from dataset.media.images import examine_frame, examine_mask
from dataset.media.waveform import examine_sound

logger = logging.getLogger(__name__)

MOST_LISTED = 5


class Usable(NamedTuple):
    """`size` (height, width) of a picture, upright. `is_empty`: a mask without inside. `doubt`: a sentence."""

    doubt: str | None
    size: tuple[int, int] | None = None
    is_empty: bool = False


def usable_frame(path: Path) -> Usable:
    """Raises FileNotFoundError, ValueError."""
    facts = examine_frame(path)
    doubts = [facts.doubt] if facts.doubt else []
    if facts.is_turned:
        doubts.append("its EXIF data turn it; as published, the masked frame is turned and the whole frame is not")
    return Usable("; ".join(doubts) or None, facts.upright_size)


def usable_mask(path: Path) -> Usable:
    """Raises FileNotFoundError, ValueError."""
    reading = examine_mask(path)
    return Usable(reading.doubt, reading.inside.shape, not reading.inside.any())


def usable_sound(path: Path) -> Usable:
    """Raises FileNotFoundError, ValueError."""
    return Usable(examine_sound(path).doubt)


def log_doubts(verdicts: Mapping[object, object]) -> None:
    """`verdicts`: file -> Usable, or anything else for a file that cannot be used; the first doubts are listed."""
    doubts = {name: found.doubt for name, found in verdicts.items() if isinstance(found, Usable) and found.doubt}
    for name, doubt in list(doubts.items())[:MOST_LISTED]:
        logger.warning("%s: %s", name, doubt)
    if len(doubts) > MOST_LISTED:
        logger.warning("... and %d more files with a doubt", len(doubts) - MOST_LISTED)


def fit_doubt(mask: tuple[int, int], frame: tuple[int, int]) -> str | None:
    """What is doubtful about a mask of another size than its frame; both (height, width).

    A mask that is taken as the truth is refused for it, one that is audited is resized.
    """
    if mask == frame:
        return None
    expected, got = (f"{width}x{height}" for height, width in (frame, mask))
    return f"expected the size of its frame, {expected}, got {got}"


def size_doubt(sizes: Iterable[tuple[int, int]]) -> str | None:
    """What is doubtful about the sizes of one video's frames."""
    different = sorted(set(sizes))
    if len(different) < 2:
        return None
    return f"expected frames of one size, got {' and '.join(f'{width} x {height}' for height, width in different[:3])}"
