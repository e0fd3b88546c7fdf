"""Ablations as a picture: each run's averages with their intervals, the paper's beside them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from utils.reports.page import GREY, INK, PALE, installed_fonts
from utils.scores.ablation_tables import LABELS
from utils.whole_files import whole_file

OURS, PAPERS = "#0072b2", "#d55e00"  # told apart by colour-blind readers too; their marks differ as well
LETTER, PANEL, GAP, HEAD, TITLE, ROW, FOOT = 0.082, 3.1, 0.3, 0.95, 0.42, 0.27, 0.45  # inches
BETTER = {
    "rmse": "lower is better",
    "f2_mask_type": "higher is better, percent",
    "f2_action": "higher is better, percent",
}
DPI = 150


def ablation_picture(tables: Mapping[str, Mapping[str, dict]], published: Mapping[str, Mapping], path: Path) -> None:
    """Write a PNG: a row per run, a column per metric.

    `tables`: {table: {run: {"cells", "interval"}}}, see `utils.scores.ablation_tables`; `published`: {table: {run:
    cells}}, of the runs that the paper has.
    """
    tables = {table: runs for table, runs in tables.items() if runs}
    names = 0.4 + LETTER * max(len(run) for runs in tables.values() for run in runs)
    width = names + len(LABELS) * (PANEL + GAP)
    height = HEAD + FOOT + sum(TITLE + ROW * len(runs) for runs in tables.values())
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    with matplotlib.rc_context({"font.family": installed_fonts(), "text.parse_math": False}):
        places, y = [], height - HEAD
        for table, runs in tables.items():
            y -= TITLE
            figure.text(0.15 / width, (y + 0.1) / height, table, size=11, weight="bold", color=INK)
            for run in runs:
                y -= ROW
                places.append((table, run, y + ROW / 2))
                figure.text(
                    (names - 0.15) / width, (y + ROW / 2) / height, run, size=9.5, ha="right", va="center", color=INK
                )
        for column, (metric, label) in enumerate(LABELS.items()):
            left = names + column * (PANEL + GAP)
            axes = figure.add_axes((left / width, FOOT / height, PANEL / width, (height - HEAD - FOOT) / height))
            axes.set_ylim(FOOT, height - HEAD)
            _draw_scale(axes, f"{label} ({BETTER[metric]})")
            for table, run, at in places:
                _draw_run(axes, metric, tables[table][run], published.get(table, {}).get(run), at)
        _draw_legend(figure, width, height)
        with whole_file(path) as temporary:
            canvas.print_png(temporary)


def _draw_scale(axes: Axes, title: str) -> None:
    axes.set_title(title, size=10, color=INK, loc="left")
    axes.set_yticks([])
    axes.spines[["left", "top", "right"]].set_visible(False)
    axes.spines["bottom"].set_color("#c4c8ce")
    axes.tick_params(axis="x", length=3, colors=GREY, labelsize=9)
    axes.grid(axis="x", color=PALE, lw=1)
    axes.set_axisbelow(True)


def _draw_run(axes: Axes, metric: str, run: dict, paper: Mapping | None, y: float) -> None:
    """The average and its interval; a value that does not exist is left out."""
    average, (low, high) = run["cells"][metric]["avg"], run["interval"][metric]
    if low is not None:
        axes.plot([low, high], [y, y], color=OURS, lw=2, solid_capstyle="butt")
    if average is not None:
        axes.plot(average, y, "o", ms=6, color=OURS)
    if paper and paper[metric]["avg"] is not None:
        axes.plot(paper[metric]["avg"], y, "D", ms=5.5, mfc="white", mec=PAPERS, mew=1.5)


def _draw_legend(figure: Figure, width: float, height: float) -> None:
    """The title, and what the marks mean."""
    figure.text(
        0.15 / width,
        1 - 0.3 / height,
        "Averages over mask types and test splits",
        size=13,
        weight="bold",
        color=INK,
    )
    axes = figure.add_axes(((width - 4.2) / width, 1 - 0.42 / height, 4.1 / width, 0.3 / height))
    axes.set(xlim=(0, 4.1), ylim=(0, 1))
    axes.axis("off")
    axes.plot([0.1, 0.5], [0.5, 0.5], color=OURS, lw=2)
    axes.plot(0.3, 0.5, "o", ms=6, color=OURS)
    axes.text(0.6, 0.5, "run, 95% interval over videos", va="center", size=9, color=INK)
    axes.plot(3.1, 0.5, "D", ms=5.5, mfc="white", mec=PAPERS, mew=1.5)
    axes.text(3.22, 0.5, "paper", va="center", size=9, color=INK)
