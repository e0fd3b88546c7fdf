"""One audit as a picture to look at: the frame with its mask, the masked frame, the expression and the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from utils.audit import ACTIONS, Audit
from utils.formatting import one_line
from utils.mask_types import MASK_TYPES
from utils.reports.overlay import scaled, size_within, tinted
from utils.reports.page import ACTION_COLOURS, GAP, GREY, INK, MARGIN, PALE, Page

NOT_PARSED = "not parsed"
NARROWEST, PANEL_WIDTH, PANEL_HEIGHT = 760, 560, 620  # pixels


def audit_picture(
    frame: np.ndarray,
    mask: np.ndarray,
    expression: str,
    audit: Audit,
    path: str | Path,
    answer: str = "",
    cautions: Sequence[str] = (),
) -> None:
    """Write a PNG. `frame` (H, W, 3) uint8 RGB, `mask` (H, W) bool; `answer` is what the auditor wrote, in plain words;
    `cautions` are reasons to doubt it.

    A field of the audit that is None is shown as "not parsed". Raises ValueError when the sizes differ.
    """
    if mask.shape != frame.shape[:2]:
        raise ValueError(f"mask: expected the frame's size {frame.shape[:2]}, got {mask.shape}")
    shown, inside = scaled(frame, mask, size_within(frame, PANEL_WIDTH, PANEL_HEIGHT))
    masked = (shown * inside[..., None]).round().astype(np.uint8)
    page = Page(max(2 * shown.shape[1] + GAP + 2 * MARGIN, NARROWEST))
    page.paragraph(f"“{one_line(expression)}”", size=22, weight="bold", max_lines=6)
    page.space(10)
    names = "the frame and its mask", "what the mask keeps" if mask.any() else "an empty mask"
    _side_by_side(page, dict(zip(names, (tinted(shown, inside), masked), strict=True)))
    page.space(12)
    _verdict(page, audit)
    if answer:
        page.space(14)
        page.paragraph(one_line(answer), size=14, color=GREY, max_lines=8)
    for caution in cautions:
        page.space(8)
        page.paragraph(f"Careful: {one_line(caution)}", size=14, color=ACTION_COLOURS["reject"], max_lines=4)
    page.save(path)


def _side_by_side(page: Page, named: dict[str, np.ndarray]) -> None:
    """Pictures in the middle of the page, each above its name."""
    widths = [picture.shape[1] for picture in named.values()]
    x = (page.width - sum(widths) - GAP * (len(widths) - 1)) // 2
    height = max(picture.shape[0] for picture in named.values())
    for name, picture in named.items():
        page.picture(picture, x, page.y)
        page.text(name, x, page.y + height + 7, 13, GREY)
        x += picture.shape[1] + GAP
    page.space(height + 32)


def _verdict(page: Page, audit: Audit) -> None:
    """Three columns: type, IoU with a bar from 0 to 1, action. Unknown types and actions are grey."""
    iou = None if audit.iou is None else f"{audit.iou:.4f}"
    columns = (
        ("Mask type", audit.mask_type, INK),
        ("IoU", iou, INK),
        ("Action", audit.action, ACTION_COLOURS.get(audit.action, INK)),
    )
    page.box(MARGIN, page.y, page.width - 2 * MARGIN, 1, PALE)
    step = (page.width - 2 * MARGIN) // len(columns)
    for i, (label, value, colour) in enumerate(columns):
        x = MARGIN + i * step
        page.text(label, x, page.y + 16, 12, GREY)
        is_known = label == "IoU" or value in (*MASK_TYPES, *ACTIONS)
        color, weight = (colour, "bold") if value is not None and is_known else (GREY, "normal")
        shown = one_line(NOT_PARSED if value is None else value or "(nothing)")
        line = page.wrapped(shown, 24, weight, step - GAP, max_lines=1)[0]
        page.text(line, x, page.y + 36, 24, color, weight)
        if label == "IoU" and audit.iou is not None:
            length = round(0.6 * step)
            page.box(x, page.y + 70, length, 5, PALE)
            page.box(x, page.y + 70, round(length * audit.iou), 5, INK)
    page.space(82)
