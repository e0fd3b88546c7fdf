"""Videos and their expressions: some frames of each with the target's outline, and which object sounds when.

Takes arrays and text, writes one PNG; reads no files.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from utils.formatting import one_line
from utils.reports.overlay import scaled, tinted
from utils.reports.page import GAP, GREY, INK, MARGIN, PALE, Page

FRAME_WIDTH = 190  # pixels
BAR_HEIGHT, BAR_STEP = 7, 20  # pixels; the second is the distance of two lines of sound


@dataclass(frozen=True)
class SoundBar:
    """When one object sounds, in seconds, and its colour, for instance "#d62828"."""

    words: str
    color: str
    onset: float
    offset: float


@dataclass(frozen=True)
class Film:
    """Frames (H, W, 3) uint8 RGB, the target's masks (H, W) bool, a label for each frame, and all sounds."""

    expression: str
    note: str
    frames: list[np.ndarray]
    masks: list[np.ndarray]
    words: list[str]
    sounds: list[SoundBar]
    seconds: float = 10


def write_filmstrip(path: str | Path, films: list[Film]) -> None:
    """Write a PNG with one row of frames for each film, and its sounds as bars over time."""
    columns = max(len(film.frames) for film in films)
    page = Page(columns * (FRAME_WIDTH + GAP) - GAP + 2 * MARGIN)
    for film in films:
        page.paragraph(f"“{one_line(film.expression)}”", size=18, weight="bold", max_lines=2)
        page.paragraph(one_line(film.note), size=13, color=GREY, max_lines=1)
        page.space(8)
        _frames(page, film)
        _sounds(page, film)
        page.space(26)
    page.save(path)


def _frames(page: Page, film: Film) -> None:
    height = round(FRAME_WIDTH * film.frames[0].shape[0] / film.frames[0].shape[1])
    for column, (frame, mask, words) in enumerate(zip(film.frames, film.masks, film.words, strict=True)):
        x = MARGIN + column * (FRAME_WIDTH + GAP)
        shown, inside = scaled(frame, mask, (FRAME_WIDTH, height))
        page.picture(tinted(shown, np.zeros_like(inside), behind=inside), x, page.y)
        page.text(words, x, page.y + height + 6, 12, GREY)
    page.space(height + 30)


def _sounds(page: Page, film: Film) -> None:
    width = page.width - 2 * MARGIN
    for sound in film.sounds:
        start, length = (round(width * s / film.seconds) for s in (sound.onset, sound.offset - sound.onset))
        page.box(MARGIN, page.y + BAR_HEIGHT // 2, width, 1, PALE)
        page.box(MARGIN + start - 1, page.y - 1, length + 2, BAR_HEIGHT + 2, GREY)
        page.box(MARGIN + start, page.y, length, BAR_HEIGHT, sound.color)
        page.text(one_line(sound.words), MARGIN + start, page.y + BAR_HEIGHT + 1, 11, INK)
        page.space(BAR_STEP + 6)
    if not film.sounds:
        page.text("no sound", MARGIN, page.y, 12, GREY)
        page.space(BAR_STEP)
