"""A page as a PNG: text and pictures, laid out in pixels from top to bottom.

Text is drawn as it is, never interpreted; letters that no installed font has appear as boxes. The content of a page
comes from the other modules of this folder.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from utils.whole_files import whole_file

ACTION_COLOURS = {"accept": "#1a7f37", "minor revision": "#9a6700", "major revision": "#bc4c00", "reject": "#c62828"}
INK, GREY, PALE = "#1f2328", "#6b7280", "#e5e7eb"
MARGIN, GAP = 36, 20  # pixels
DPI = 100
# The installed ones of these are used, in this order; the first comes with matplotlib.
FONTS = ("DejaVu Sans", "Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", "Noto Emoji")


def installed_fonts() -> list[str]:
    """The font families that text is drawn with."""
    installed = set(font_manager.get_font_names())
    return [name for name in FONTS if name in installed]


class Page:
    """A figure that is filled from top to bottom; its height is known when it is saved. All lengths are pixels.

    `y` is where the next item is placed; x and y of pictures, boxes and texts are their upper left corners.
    """

    def __init__(self, width: int):
        self.width, self.y = width, MARGIN
        self._pictures, self._boxes, self._texts = [], [], []  # drawn by `save`
        self._renderer = FigureCanvasAgg(Figure(dpi=DPI)).get_renderer()
        self._fonts = installed_fonts()

    def space(self, height: int) -> None:
        self.y += height

    def paragraph(self, text: str, size: int, max_lines: int, color: str = INK, weight: str = "normal") -> None:
        """Lines as wide as the page; moves `y` below them."""
        for line in self.wrapped(text, size, weight, self.width - 2 * MARGIN, max_lines):
            self.text(line, MARGIN, self.y, size, color, weight)
            self.y += round(1.45 * size)

    def picture(self, picture: np.ndarray, x: int, y: int) -> None:
        """`picture` (H, W, 3) uint8 RGB, pixel for pixel."""
        self._pictures.append((x, y, picture))

    def box(self, x: int, y: int, width: int, height: int, color: str) -> None:
        self._boxes.append((x, y, width, height, color))

    def text(self, text: str, x: int, y: int, size: int, color: str = INK, weight: str = "normal") -> None:
        style = {"fontsize": size * 72 / DPI, "color": color, "fontweight": weight, "fontfamily": self._fonts}
        self._texts.append((x, y + round(0.85 * size), text, style))

    def text_width(self, text: str, size: int, weight: str = "normal") -> float:
        font = font_manager.FontProperties(family=self._fonts, weight=weight, size=size * 72 / DPI)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing")
            return self._renderer.get_text_width_height_descent(text, font, False)[0]

    def wrapped(self, text: str, size: int, weight: str, width: int, max_lines: int) -> list[str]:
        """Lines of at most `width` pixels, broken at spaces where there are some; "…" ends what does not fit."""

        def fits(line: str) -> bool:
            return self.text_width(line, size, weight) <= width

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

    def save(self, path: str | Path) -> None:
        height = self.y + MARGIN - 8
        figure = Figure(figsize=(self.width / DPI, height / DPI), dpi=DPI, facecolor="white")
        canvas = FigureCanvasAgg(figure)
        for x, y, picture in self._pictures:
            figure.figimage(picture, x, height - y - len(picture), origin="upper")
        for x, y, w, h, color in self._boxes:
            corner = x / self.width, 1 - (y + h) / height
            figure.add_artist(Rectangle(corner, w / self.width, h / height, color=color, lw=0, antialiased=False))
        for x, y, text, style in self._texts:
            figure.text(x / self.width, 1 - y / height, text, va="baseline", parse_math=False, usetex=False, **style)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing")
            with whole_file(path) as temporary:
                canvas.print_png(temporary)


def _longest(text: str, fits) -> int:
    """How many characters fit, at least one; found by halving."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(text[:middle]) else (low, middle - 1)
    return low
