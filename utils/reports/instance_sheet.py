"""A contact sheet of one instance: its frame, the ground truth and every candidate mask with what is true of it.

Takes arrays and text, writes one PNG; reads no files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from utils.formatting import one_line
from utils.mask_types import GRADED_TYPES
from utils.reports.overlay import BEHIND_EDGE, EDGE, TINT, scaled, size_within, tinted
from utils.reports.page import ACTION_COLOURS, GAP, GREY, INK, MARGIN, Page

COLUMNS = 4
PANEL_WIDTH, PANEL_HEIGHT, NARROWEST = 400, 420, 240  # pixels; the last is the least distance of two panels
LABEL_LINES = (10, 37, 60)  # where the lines of a panel's label begin, pixels below it
# These types stay near the ground truth; masks of the others may reach far away from it.
NEAR_TYPES = ("perfect", *GRADED_TYPES)
ROOM, LEAST_ZOOM, SMALLEST_AREA = 1.35, 1.4, 64  # times the masks' box; times; pixels of the frame


@dataclass(frozen=True)
class SheetMask:
    """One candidate. `mask` (H, W) bool in the frame's size; fields that the benchmark does not give are None."""

    mask: np.ndarray
    mask_type: str
    rank: int | None
    iou: float | None
    action: str | None
    negative_object: str | None = None


@dataclass(frozen=True)
class Area:
    """A part of the frame, in pixels, of the frame's own proportions."""

    top: int
    left: int
    height: int
    width: int

    def of(self, picture: np.ndarray) -> np.ndarray:
        return picture[self.top : self.top + self.height, self.left : self.left + self.width]


def write_sheet(path: str | Path, frame: np.ndarray, masks: list[SheetMask], expression: str, origin: str) -> None:
    """Write a PNG. `frame` (H, W, 3) uint8 RGB; `origin` says in one line where the instance comes from.

    The perfect mask is the ground truth; its edge shows in every panel. Where the masks are small, the panels show only
    the area around them: one for the types that stay near the object, one for the others.
    """
    gt = next((mask.mask for mask in masks if mask.mask_type == "perfect"), np.zeros(frame.shape[:2], bool))
    near = area_around([mask.mask for mask in masks if mask.mask_type in NEAR_TYPES], frame.shape[:2])
    far = area_around([gt, *(mask.mask for mask in masks if mask.mask_type not in NEAR_TYPES)], frame.shape[:2])
    bare = _frame_panel(frame, {near, far} if len(masks) else set())
    height, width = bare.shape[:2]
    step = max(width + GAP, NARROWEST)
    page = Page(COLUMNS * step - GAP + 2 * MARGIN)
    _head(page, expression, origin, has_gt=gt.any(), is_enlarged={near, far} != {Area(0, 0, *frame.shape[:2])})
    for row in _rows(masks):
        for column, mask in enumerate(row):
            x, y = MARGIN + column * step, page.y + height
            if mask is None:
                page.picture(bare, x, page.y)
                _label_frame(page, frame, x, y)
            else:
                area = near if mask.mask_type in NEAR_TYPES else far
                page.picture(_mask_panel(area.of(frame), area.of(mask.mask), area.of(gt), (width, height)), x, page.y)
                _label(page, mask, frame.shape[1] / area.width, x, y, step - GAP)
        has_third_line = any(mask and mask.negative_object for mask in row)
        page.space(height + LABEL_LINES[2] + (40 if has_third_line else 18))
    page.save(path)


def area_around(masks: list[np.ndarray], size: tuple[int, int]) -> Area:
    """The part of a frame of `size` (H, W) that shows all masks and some room around them; often all of it."""
    height, width = size
    rows, columns = (np.flatnonzero(np.any(masks, axis=(0, axis))) if masks else [] for axis in (2, 1))
    if not len(rows):
        return Area(0, 0, height, width)
    share = ROOM * max((rows[-1] + 1 - rows[0]) / height, (columns[-1] + 1 - columns[0]) / width)
    share = max(share, SMALLEST_AREA / max(size))
    if share * LEAST_ZOOM > 1:
        return Area(0, 0, height, width)
    area_height, area_width = round(share * height), round(share * width)
    top = np.clip((rows[0] + rows[-1] + 1 - area_height) // 2, 0, height - area_height)
    left = np.clip((columns[0] + columns[-1] + 1 - area_width) // 2, 0, width - area_width)
    return Area(int(top), int(left), area_height, area_width)


def _rows(masks: Iterable[SheetMask]) -> Iterator[list[SheetMask | None]]:
    """Panels row by row, None for the bare frame; masks of one type stay in one row where they fit."""
    groups: dict[str, list[SheetMask | None]] = {"frame": [None]}
    for mask in masks:
        groups.setdefault("frame" if mask.mask_type == "perfect" else mask.mask_type, []).append(mask)
    row: list[SheetMask | None] = []
    for group in groups.values():
        if row and len(row) + len(group) > COLUMNS:
            yield row
            row = []
        row = row + group
        while len(row) > COLUMNS:
            yield row[:COLUMNS]
            row = row[COLUMNS:]
    yield row


def _head(page: Page, expression: str, origin: str, has_gt: bool, is_enlarged: bool) -> None:
    """Expression, origin, and what the colours mean."""
    page.paragraph(f"“{one_line(expression)}”", size=24, weight="bold", max_lines=4)
    page.space(2)
    page.paragraph(one_line(origin), size=14, color=GREY, max_lines=3)
    page.space(8)
    x = MARGIN
    for words, colour in (("the mask", TINT), ("edge of the ground truth", BEHIND_EDGE)):
        if colour == TINT or has_gt:
            page.box(x, page.y + 2, 14, 14, "#{:02x}{:02x}{:02x}".format(*colour))
            page.text(words, x + 22, page.y, 14)
            x += 22 + round(page.text_width(words, 14)) + 28
    if is_enlarged:
        page.text("panels marked × show an enlarged part of the frame, boxed in the first picture", x, page.y, 14, GREY)
    page.space(32)


def _frame_panel(frame: np.ndarray, areas: set[Area]) -> np.ndarray:
    """The frame without masks, with a box around each area that is smaller than the frame."""
    shown, _ = scaled(frame, np.zeros(frame.shape[:2], bool), size_within(frame, PANEL_WIDTH, PANEL_HEIGHT))
    scale = shown.shape[1] / frame.shape[1]
    for area in areas:
        if area.width < frame.shape[1]:
            corners = (area.left, area.top), (area.left + area.width, area.top + area.height)
            first, last = (tuple(round(scale * value) for value in corner) for corner in corners)
            cv2.rectangle(shown, first, last, (0, 0, 0), 4, cv2.LINE_AA)
            cv2.rectangle(shown, first, last, EDGE, 2, cv2.LINE_AA)
    return shown


def _mask_panel(frame: np.ndarray, mask: np.ndarray, gt: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    shown, inside = scaled(frame, mask, size)
    return tinted(shown, inside, behind=scaled(frame, gt, size)[1])


def _label_frame(page: Page, frame: np.ndarray, x: int, y: int) -> None:
    page.text("the frame", x, y + LABEL_LINES[0], 16, weight="bold")
    page.text(f"{frame.shape[1]} x {frame.shape[0]} pixels", x, y + LABEL_LINES[1], 13, GREY)


def _label(page: Page, mask: SheetMask, zoom: float, x: int, y: int, width: int) -> None:
    """Type, rank and enlargement, then IoU and action, then the wrong object."""
    first, second, third = (y + line for line in LABEL_LINES)
    page.text(mask.mask_type, x, first, 16, weight="bold")
    if note := _rank_note(mask):
        page.text(note, x + round(page.text_width(mask.mask_type, 16, "bold")) + 10, first + 2, 13, GREY)
    if zoom > 1:
        words = f"{zoom:.1f} ×"
        page.text(words, x + width - round(page.text_width(words, 13)), first + 2, 13, GREY)
    iou = "IoU unknown" if mask.iou is None else f"IoU {mask.iou:.4f}"
    page.text(iou, x, second, 14, INK)
    indent = round(page.text_width(iou, 14)) + 14
    action = page.wrapped(one_line(mask.action or "action unknown"), 14, "bold", width - indent, max_lines=1)[0]
    page.text(action, x + indent, second, 14, ACTION_COLOURS.get(action, GREY), "bold")
    if mask.negative_object:
        words = f"{'with' if mask.mask_type == 'merge' else 'instead:'} the {one_line(mask.negative_object)}"
        page.text(page.wrapped(words, 13, "normal", width, max_lines=1)[0], x, third, 13, GREY)


def _rank_note(mask: SheetMask) -> str:
    if mask.mask_type == "perfect":
        return "the ground truth"
    if mask.rank is None:
        return ""
    level = {1: ", hard", 2: ", medium"} if mask.mask_type in GRADED_TYPES else {1: ", hard"}
    return f"rank {mask.rank}{level.get(mask.rank, '')}"
