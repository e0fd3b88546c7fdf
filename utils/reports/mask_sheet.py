"""Masks of a segmentation method beside the truth, as one picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from utils.formatting import one_line
from utils.reports.overlay import scaled, size_within, tinted
from utils.reports.page import GAP, GREY, INK, MARGIN, Page

COLUMNS, WIDTH, HEIGHT = 4, 250, 250  # pixels of one picture
LINE = 19


@dataclass(frozen=True)
class ShownMask:
    """`picture` (H, W, 3) uint8 RGB; `mask` and `truth` (H, W) bool; `name` and `scores` stand below."""

    expression: str
    picture: np.ndarray
    mask: np.ndarray
    truth: np.ndarray
    name: str
    scores: str


def write_mask_sheet(path: str | Path, title: str, masks: list[ShownMask]) -> None:
    """Write a PNG: four masks a row, tinted; the outline of the truth in yellow."""
    page = Page(COLUMNS * (WIDTH + GAP) - GAP + 2 * MARGIN)
    page.paragraph(title, size=18, weight="bold", max_lines=2)
    page.space(10)
    for start in range(0, len(masks), COLUMNS):
        row = masks[start : start + COLUMNS]
        heights = [_show(page, mask, MARGIN + column * (WIDTH + GAP)) for column, mask in enumerate(row)]
        page.space(max(heights) + 18)
    page.save(path)


def _show(page: Page, mask: ShownMask, x: int) -> int:
    """Draws one mask with its words; returns how many pixels high it is."""
    for number, line in enumerate(page.wrapped(f"“{one_line(mask.expression)}”", 13, "bold", WIDTH, max_lines=2)):
        page.text(line, x, page.y + number * 16, 13, INK, "bold")
    top = page.y + 2 * 16 + 6
    size = size_within(mask.picture, WIDTH, HEIGHT)
    shown, inside = scaled(mask.picture, mask.mask, size)
    _, truth = scaled(mask.picture, mask.truth, size)
    page.picture(tinted(shown, inside, behind=truth), x, top)
    y = top + shown.shape[0] + 6
    page.text(page.wrapped(mask.scores, 13, "normal", WIDTH, max_lines=1)[0], x, y, 13, INK)
    page.text(page.wrapped(mask.name, 12, "normal", WIDTH, max_lines=1)[0], x, y + LINE, 12, GREY)
    return y + 2 * LINE - page.y
