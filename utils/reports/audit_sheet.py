"""Right and wrong audits side by side: the mask on its frame, what was said of it and what is true."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from utils.audit import Audit
from utils.formatting import one_line
from utils.reports.overlay import scaled, size_within, tinted
from utils.reports.page import ACTION_COLOURS, GAP, GREY, INK, MARGIN, Page

COLUMNS, WIDTH, HEIGHT = 4, 250, 250  # pixels of one picture
LINE = 19
RIGHT, WRONG = "#2a7f3f", "#b3261e"


@dataclass(frozen=True)
class ShownAudit:
    """`frame` (H, W, 3) uint8 RGB; `mask` and `truth` (H, W) bool, the audited mask and the target."""

    expression: str
    frame: np.ndarray
    mask: np.ndarray
    truth: np.ndarray
    said: Audit
    true: Audit

    @property
    def is_right(self) -> bool:
        return (self.said.mask_type, self.said.action) == (self.true.mask_type, self.true.action)


def write_audit_sheet(path: str | Path, title: str, audits: list[ShownAudit]) -> None:
    """Write a PNG: four audits a row, the target's outline in yellow, the audited mask tinted."""
    page = Page(COLUMNS * (WIDTH + GAP) - GAP + 2 * MARGIN)
    page.paragraph(title, size=18, weight="bold", max_lines=2)
    page.space(10)
    for start in range(0, len(audits), COLUMNS):
        row = audits[start : start + COLUMNS]
        for column, audit in enumerate(row):
            _show(page, audit, MARGIN + column * (WIDTH + GAP))
        page.space(HEIGHT + 5 * LINE + 26)
    page.save(path)


def _show(page: Page, audit: ShownAudit, x: int) -> None:
    lines = page.wrapped(f"“{one_line(audit.expression)}”", 13, "bold", WIDTH, max_lines=2)
    for number, line in enumerate(lines):
        page.text(line, x, page.y + number * 16, 13, INK, "bold")
    top = page.y + 2 * 16 + 6
    size = size_within(audit.frame, WIDTH, HEIGHT)
    shown, inside = scaled(audit.frame, audit.mask, size)
    _, truth = scaled(audit.frame, audit.truth, size)
    page.picture(tinted(shown, inside, behind=truth), x, top)
    y = top + shown.shape[0] + 6
    page.text(f"said: {_words(audit.said)}", x, y, 13, RIGHT if audit.is_right else WRONG, "bold")
    page.text(f"true: {_words(audit.true)}", x, y + LINE, 13, GREY)
    page.text(audit.said.action or "no action", x, y + 2 * LINE, 13, ACTION_COLOURS.get(audit.said.action, GREY))


def _words(audit: Audit) -> str:
    iou = "?" if audit.iou is None else f"{audit.iou:.2f}"
    return f"{audit.mask_type or '?'}, IoU {iou}"
