"""IoU distributions as a picture (the paper's Figure 4): one row per mask type, one column per part of a benchmark."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from utils.mask_types import TYPE_COLOURS
from utils.reports.page import GREY, INK, PALE, installed_fonts
from utils.whole_files import whole_file

BANDS = {"medium": (0.75, 0.80), "hard": (0.85, 0.90)}  # paper Sec. 3.2
BINS = np.linspace(0, 1, 81)
NAMES, COUNTS, PANEL, HEAD, ROW, FOOT = 1.05, 0.75, 5.6, 1.05, 0.85, 0.5  # inches
DPI = 150


def distribution_picture(panels: dict[str, pd.DataFrame], path: str | Path) -> None:
    """Write a PNG. `panels`: name of a part -> its masks, with mask_type and iou.

    Every row has its own height; its number of masks stands before it and its tallest bar is labelled. If all masks
    have the same IoU (perfect 1, full_neg 0), a pin is drawn instead of bars. Masks without IoU are counted in the
    panel's title.
    """
    types = [name for name in TYPE_COLOURS if any((masks["mask_type"] == name).any() for masks in panels.values())]
    width, height = NAMES + len(panels) * (COUNTS + PANEL) + 0.25, HEAD + ROW * len(types) + FOOT
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    with matplotlib.rc_context({"font.family": installed_fonts(), "text.parse_math": False}):
        figure.text(0.18 / width, 1 - 0.34 / height, "IoU with the ground truth", size=15, weight="bold", color=INK)
        for row, mask_type in enumerate(types):
            y = 1 - (HEAD + ROW * (row + 0.7)) / height
            figure.text(0.18 / width, y, mask_type, size=12, weight="bold", color=INK)
        for column, (name, masks) in enumerate(panels.items()):
            left = NAMES + COUNTS + column * (COUNTS + PANEL)
            figure.text(left / width, 1 - 0.72 / height, _panel_name(name, masks), size=12, color=INK)
            for row, mask_type in enumerate(types):
                bottom = FOOT + ROW * (len(types) - 1 - row)
                axes = figure.add_axes((left / width, bottom / height, PANEL / width, 0.78 * ROW / height))
                _draw_scale(axes, is_first=row == 0, is_last=row == len(types) - 1)
                _draw_row(axes, masks.loc[masks["mask_type"] == mask_type, "iou"], mask_type)
        with whole_file(path) as temporary:
            canvas.print_png(temporary)


def _panel_name(name: str, masks: pd.DataFrame) -> str:
    unknown = int(masks["iou"].isna().sum())
    return f"{name}: {len(masks):,} masks" + (f", {unknown:,} of them without an IoU" if unknown else "")


def _draw_scale(axes: Axes, is_first: bool, is_last: bool) -> None:
    """IoU from 0 to 1, written under the last row; the paper's two bands in grey, named above the first."""
    axes.set(xlim=(-0.012, 1.012), ylim=(0, 1.3), yticks=[], xticks=np.linspace(0, 1, 11))
    axes.patch.set_visible(False)
    axes.spines[["left", "top", "right"]].set_visible(False)
    axes.spines["bottom"].set_color("#c4c8ce")
    axes.tick_params(axis="x", labelbottom=is_last, length=3 if is_last else 0, colors=GREY, labelsize=9)
    for name, (low, high) in BANDS.items():
        axes.axvspan(low, high, color=PALE, lw=0, zorder=0)
        if is_first:
            axes.text((low + high) / 2, 1.36, name, ha="center", size=9, color=GREY)


def _draw_row(axes: Axes, ious: pd.Series, mask_type: str) -> None:
    """The number of masks of one type, then their histogram on its own scale, or a pin."""
    colour, known = TYPE_COLOURS[mask_type], ious.dropna().to_numpy(float)
    axes.text(-0.035, 0.5, f"{len(ious):,}", ha="right", size=10, color=GREY)
    if not len(known):
        return
    if len(set(known)) == 1:
        axes.plot([known[0], known[0]], [0, 0.95], color=colour, lw=3, solid_capstyle="butt", clip_on=False)
        axes.plot(known[0], 0.95, "o", ms=9, color=colour, clip_on=False)
        axes.text(
            known[0] + (-0.02 if known[0] > 0.5 else 0.02),
            0.86,
            f"all at {known[0]:.4g}",
            ha="right" if known[0] > 0.5 else "left",
            size=9,
            color=INK,
        )
        return
    counts, _ = np.histogram(known, BINS)
    axes.bar(BINS[:-1], counts / counts.max(), width=np.diff(BINS), align="edge", color=colour, ec="white", lw=0.6)
    axes.text(BINS[:-1][counts.argmax()] + BINS[1] / 2, 1.06, f"{counts.max():,}", ha="center", size=9, color=INK)
