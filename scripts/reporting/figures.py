"""Charts of a report as SVG, and its tables for papers (CSV, LaTeX)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from scripts.reporting.audits import Shown
from utils.mask_types import PAPER_TYPES, TYPE_COLOURS
from utils.reports.page import GREY, PALE, installed_fonts
from utils.whole_files import whole_file, write_text

TABLES = ("tables.csv", "tables.tex")
_SIZE = (4.6, 3.6)  # inches


def iou_chart(audits: Sequence[Shown], path: Path) -> bool:
    """The IoU that was said over the true one, a dot for each mask. False, and no file, without such masks."""
    known = [a for a in audits if None not in (a.prediction.said.iou, a.prediction.true.iou)]
    if not known:
        return False

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=PALE, zorder=0)
        for name in PAPER_TYPES:
            own = [a.prediction for a in known if a.prediction.true.mask_type == name]
            points = [(p.true.iou, p.said.iou) for p in own]
            if points:
                axes.scatter(*zip(*points, strict=True), 6, TYPE_COLOURS[name], alpha=0.5, label=name, rasterized=True)
        axes.set(xlabel="true IoU", ylabel="IoU in the audit", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        axes.legend(fontsize=7, markerscale=2, frameon=False)

    _write_chart(draw, path)
    return True


def reliability_chart(rows: Sequence[dict], path: Path) -> None:
    """Share of right types over their probability; `rows` are of `reliability`, and dots grow with counts."""

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=PALE, zorder=0)
        total = sum(row["count"] for row in rows)
        sizes = [10 + 300 * row["count"] / total for row in rows]
        axes.plot([row["probability"] for row in rows], [row["right"] for row in rows], color=GREY, linewidth=1)
        axes.scatter([row["probability"] for row in rows], [row["right"] for row in rows], sizes, "#0072b2")
        axes.set(xlabel="probability of the type", ylabel="share that is right", xlim=(0, 1.02), ylim=(0, 1.05))

    _write_chart(draw, path)


def histogram_chart(values: Sequence[float], name: str, path: Path) -> None:
    """How many masks have which value from 0 to 1, in steps of 0.05."""

    def draw(axes: Axes) -> None:
        axes.hist(values, np.linspace(0, 1, 21), color="#0072b2")
        axes.set(xlabel=name, ylabel="masks", xlim=(0, 1))
        axes.yaxis.get_major_locator().set_params(integer=True)

    _write_chart(draw, path)


def coverage_chart(curves: dict[str, tuple[np.ndarray, np.ndarray]], path: Path) -> None:
    """Error that is left over the share of masks that people look at; `curves`: name of an order -> its curve."""

    def draw(axes: Axes) -> None:
        for (name, (looked, left)), colour in zip(curves.items(), ("#0072b2", GREY, "#009e73"), strict=False):
            axes.plot(looked, left, color=colour, label=name, linestyle="--" if colour == GREY else "-")
        axes.set(xlabel="share of the masks that is looked at", ylabel="mean IoU error left", xlim=(0, 1))
        axes.set_ylim(bottom=0)
        axes.legend(fontsize=8, frameon=False)

    _write_chart(draw, path)


def write_tables(table: pd.DataFrame, folder: Path) -> None:
    """tables.csv and tables.tex; text is escaped for LaTeX."""
    for name, text in zip(TABLES, (table.to_csv(index=False), _latex(table)), strict=True):
        write_text(folder / name, text)


def _latex(table: pd.DataFrame) -> str:
    lines = [" & ".join(map(_escape, row)) + r" \\" for row in [table.columns, *table.itertuples(index=False)]]
    body = "\n".join([lines[0], r"\hline", *lines[1:]])
    return f"\\begin{{tabular}}{{l{'r' * (len(table.columns) - 1)}}}\n{body}\n\\end{{tabular}}\n"


def _escape(value) -> str:
    text = "--" if value is None or value != value else str(value)
    for sign in "\\{}&%$#_":
        text = text.replace(sign, {"\\": r"\textbackslash "}.get(sign, f"\\{sign}"))
    return text


def _write_chart(draw, path: Path) -> None:
    style = {"font.family": installed_fonts(), "text.parse_math": False, "svg.fonttype": "path", "font.size": 9}
    with matplotlib.rc_context({**style, "svg.hashsalt": path.name}):
        figure = Figure(figsize=_SIZE, layout="constrained", facecolor="white")
        canvas = FigureCanvasSVG(figure)
        axes = figure.subplots()
        axes.spines[["top", "right"]].set_visible(False)
        draw(axes)
        with whole_file(path) as temporary:
            canvas.print_svg(temporary, metadata={"Date": None})
