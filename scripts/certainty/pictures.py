"""Reliability of types, actions and IoU bands before and after a calibration, and risk-coverage, as one picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from scripts.certainty.measures import NAMES, Measured
from utils.certainty.calibration import calibration_error
from utils.reports.page import GREY, PALE, installed_fonts
from utils.whole_files import whole_file

BLUE, GREEN, ORANGE = "#0072b2", "#009e73", "#d55e00"


def calibration_picture(before: Measured, after: Measured, title: str, path: Path) -> None:
    """Four charts as a PNG. `title` says what was measured."""
    with matplotlib.rc_context({"font.family": installed_fonts(), "text.parse_math": False, "font.size": 9}):
        figure = Figure(figsize=(12.8, 3.6), dpi=100, layout="constrained", facecolor="white")
        canvas = FigureCanvasAgg(figure)
        *charts, last = figure.subplots(1, len(NAMES) + 1)
        for name, axes in zip(NAMES, charts, strict=True):
            _draw_reliability(axes, name, {"before": before.rows[name], "after": after.rows[name]})
        _draw_coverage(last, after)
        for axes in (*charts, last):
            axes.spines[["top", "right"]].set_visible(False)
        figure.suptitle(title, fontsize=10)
        with whole_file(path) as temporary:
            canvas.print_png(temporary, metadata={"Software": None})


def _draw_reliability(axes: Axes, name: str, rows: dict[str, Sequence[dict]]) -> None:
    axes.plot([0, 1], [0, 1], color=PALE, zorder=0)
    for (when, own), colour in zip(rows.items(), (ORANGE, BLUE), strict=True):
        if not own:
            continue
        total = sum(row["count"] for row in own)
        x, y = [row["probability"] for row in own], [row["right"] for row in own]
        axes.plot(x, y, color=colour, linewidth=1, label=f"{when}, error {calibration_error(own):.3f}")
        axes.scatter(x, y, [6 + 200 * row["count"] / total for row in own], colour, alpha=0.7)
    axes.set(xlabel=f"probability of the {name}", ylabel="share that is right", xlim=(0, 1.02), ylim=(0, 1.05))
    axes.legend(fontsize=8, frameon=False, loc="upper left")


def _draw_coverage(axes: Axes, measured: Measured) -> None:
    for (name, (looked, left)), colour in zip(measured.coverage.items(), (BLUE, GREY, GREEN), strict=False):
        axes.plot(looked, left, color=colour, label=name, linestyle="--" if colour == GREY else "-")
    axes.set(xlabel="share of the masks that is looked at", ylabel="mean error of the expected IoU left", xlim=(0, 1))
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=8, frameon=False)
