"""One audit as a picture to look at: the frame with its mask, the masked frame, the expression and the verdict.

Text is drawn as it is, never interpreted; letters that no installed font has appear as boxes.
"""

from __future__ import annotations

import unicodedata
import warnings
from pathlib import Path

import cv2
import numpy as np
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from utils.audit import ACTIONS, MASK_TYPES, Audit

TINT, TINT_ALPHA = (0, 170, 255), 0.5
ACTION_COLOURS = {"accept": "#1a7f37", "minor revision": "#9a6700", "major revision": "#bc4c00", "reject": "#c62828"}
INK, GREY, PALE = "#1f2328", "#6b7280", "#e5e7eb"
NOT_PARSED = "not parsed"
# Sizes in pixels.
MARGIN, GAP, NARROWEST, PANEL_WIDTH, PANEL_HEIGHT = 36, 20, 760, 560, 620
DPI = 100
# In this order, those that are installed; matplotlib brings the first.
FONTS = ("DejaVu Sans", "Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", "Noto Emoji")


def audit_picture(
    frame: np.ndarray, mask: np.ndarray, expression: str, audit: Audit, path: str | Path, answer: str = ""
) -> None:
    """Write a PNG. `frame` (H, W, 3) uint8 RGB, `mask` (H, W) bool; `answer` is what the auditor wrote, in plain words.

    A field of the audit that is None is shown as "not parsed". Raises ValueError when the sizes differ.
    """
    if mask.shape != frame.shape[:2]:
        raise ValueError(f"mask: expected the frame's size {frame.shape[:2]}, got {mask.shape}")
    tinted, masked = _panels(frame, mask)
    height, width = tinted.shape[:2]
    page = _Page(max(2 * width + GAP + 2 * MARGIN, NARROWEST))
    page.paragraph(f"“{one_line(expression)}”", size=22, weight="bold", max_lines=6)
    page.space(10)
    page.pictures({"the frame and its mask": tinted, "what the mask keeps" if mask.any() else "an empty mask": masked})
    page.space(12)
    page.verdict(audit)
    if answer:
        page.space(14)
        page.paragraph(one_line(answer), size=14, color=GREY, max_lines=8)
    page.save(path)


def one_line(text: str) -> str:
    """The text with line breaks and runs of spaces as one space each, and a mark in place of control characters."""
    words = " ".join(text.split())
    return "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in ("Cc", "Cs") else c for c in words)


def _panels(frame: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The frame with its mask tinted and outlined, and the frame black outside the mask, at the size they are shown."""
    scale = min(PANEL_WIDTH / frame.shape[1], PANEL_HEIGHT / frame.shape[0])
    size = max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale))
    of_frame, of_mask = (cv2.INTER_AREA, cv2.INTER_AREA) if scale < 1 else (cv2.INTER_CUBIC, cv2.INTER_NEAREST)
    shown = cv2.resize(frame, size, interpolation=of_frame)
    inside = cv2.resize(mask.astype(np.float32), size, interpolation=of_mask)
    alpha = inside[..., None]
    masked = (shown * alpha).round().astype(np.uint8)
    tinted = (shown * (1 - TINT_ALPHA * alpha) + np.float32(TINT) * TINT_ALPHA * alpha).round().astype(np.uint8)
    outlines, _ = cv2.findContours((inside > 0).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(tinted, outlines, -1, (255, 255, 255), 2, cv2.LINE_AA)
    return tinted, masked


class _Page:
    """A figure that is filled from top to bottom; its height is known when it is saved."""

    def __init__(self, width: int):
        self.width, self.y = width, MARGIN
        self.images, self.boxes, self.texts = [], [], []  # drawn by `save`
        self.renderer = FigureCanvasAgg(Figure(dpi=DPI)).get_renderer()
        installed = set(font_manager.get_font_names())
        self.fonts = [name for name in FONTS if name in installed]

    def space(self, height: int) -> None:
        self.y += height

    def paragraph(self, text: str, size: int, max_lines: int, color: str = INK, weight: str = "normal") -> None:
        for line in self._wrapped(text, size, weight, self.width - 2 * MARGIN, max_lines):
            self._text(line, MARGIN, self.y, size, color, weight)
            self.y += round(1.45 * size)

    def pictures(self, named: dict[str, np.ndarray]) -> None:
        """Side by side, in the middle, each above its name."""
        widths = [picture.shape[1] for picture in named.values()]
        x = (self.width - sum(widths) - GAP * (len(widths) - 1)) // 2
        height = max(picture.shape[0] for picture in named.values())
        for name, picture in named.items():
            self.images.append((x, self.y, picture))
            self._text(name, x, self.y + height + 7, 13, GREY)
            x += picture.shape[1] + GAP
        self.y += height + 32

    def verdict(self, audit: Audit) -> None:
        """Three columns: type, IoU with a bar from 0 to 1, action. Grey is what is no type and no action."""
        iou = None if audit.iou is None else f"{audit.iou:.4f}"
        columns = (("Mask type", audit.mask_type, INK), ("IoU", iou, INK),
                   ("Action", audit.action, ACTION_COLOURS.get(audit.action, INK)))  # fmt: skip
        self.boxes.append((MARGIN, self.y, self.width - 2 * MARGIN, 1, PALE))
        step = (self.width - 2 * MARGIN) // len(columns)
        for i, (label, value, colour) in enumerate(columns):
            x = MARGIN + i * step
            self._text(label, x, self.y + 16, 12, GREY)
            is_known = label == "IoU" or value in (*MASK_TYPES, *ACTIONS)
            color, weight = (colour, "bold") if value is not None and is_known else (GREY, "normal")
            shown = one_line(NOT_PARSED if value is None else value or "(nothing)")
            line = self._wrapped(shown, 24, weight, step - GAP, max_lines=1)[0]
            self._text(line, x, self.y + 36, 24, color, weight)
            if label == "IoU" and audit.iou is not None:
                length = round(0.6 * step)
                self.boxes.append((x, self.y + 70, length, 5, PALE))
                self.boxes.append((x, self.y + 70, round(length * audit.iou), 5, INK))
        self.y += 82

    def save(self, path: str | Path) -> None:
        height = self.y + MARGIN - 8
        figure = Figure(figsize=(self.width / DPI, height / DPI), dpi=DPI, facecolor="white")
        canvas = FigureCanvasAgg(figure)
        for x, y, picture in self.images:
            figure.figimage(picture, x, height - y - len(picture), origin="upper")
        for x, y, w, h, colour in self.boxes:
            corner = x / self.width, 1 - (y + h) / height
            figure.add_artist(Rectangle(corner, w / self.width, h / height, color=colour, lw=0, antialiased=False))
        for x, y, text, style in self.texts:
            figure.text(x / self.width, 1 - y / height, text, va="baseline", parse_math=False, usetex=False, **style)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing")
            canvas.print_png(path)

    def _text(self, text: str, x: int, y: int, size: int, color: str, weight: str = "normal") -> None:
        style = {"fontsize": size * 72 / DPI, "color": color, "fontweight": weight, "fontfamily": self.fonts}
        self.texts.append((x, y + round(0.85 * size), text, style))

    def _wrapped(self, text: str, size: int, weight: str, width: int, max_lines: int) -> list[str]:
        """Lines of at most `width` pixels, broken at spaces where there are some; "…" ends what does not fit."""
        font = font_manager.FontProperties(family=self.fonts, weight=weight, size=size * 72 / DPI)

        def fits(line: str) -> bool:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="Glyph .* missing")
                return self.renderer.get_text_width_height_descent(line, font, False)[0] <= width

        lines, rest = [], text[: 200 * max_lines]
        while rest and len(lines) < max_lines:
            cut = _longest(rest, fits)
            if cut < len(rest) and " " in rest[1 : cut + 1]:
                cut = rest.rindex(" ", 1, cut + 1)
            lines.append(rest[:cut])
            rest = rest[cut:].lstrip()
        if lines and (rest or len(text) > 200 * max_lines):
            while not fits(lines[-1] + "…"):
                lines[-1] = lines[-1][:-1]
            lines[-1] += "…"
        return lines or [""]


def _longest(text: str, fits) -> int:
    """How many characters fit, at least one; found by halving."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(text[:middle]) else (low, middle - 1)
    return low
