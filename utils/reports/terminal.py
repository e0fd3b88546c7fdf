"""Scores as text to read in a terminal."""

from __future__ import annotations

from functools import partial

from utils.formatting import number_or_dash
from utils.prediction import Prediction
from utils.scores.columns import METRICS
from utils.scores.published import is_published_benchmark, published_columns
from utils.splits import TEST_NAMES


def render_summary(summary: dict, predictions: list[Prediction], eval_mode: str) -> str:
    """The answer for the terminal: headline figures, and the paper's columns where the summary has them."""
    failures = summary["prediction_failures"]
    lines = [
        f"samples {summary['samples']}, unparsed: iou {failures['iou_value']['count_all']}, "
        f"mask type {failures['mask_type']['count_all']}, action {failures['action']['count_all']}",
        f"per sample: RMSE {_figure(summary['rmse'])}, macro F2 mask type {_figure(summary['mask_macro']['f2'])}, "
        f"macro F2 action {_figure(summary['action_macro']['f2'])}",
    ]
    if video := summary.get("video_avg"):
        lines.append(
            f"per video ({video['videos']}): RMSE {_figure(video['rmse'])}, "
            f"macro F2 mask type {_figure(video['mask_macro_avg_per_video']['f2'])}, "
            f"macro F2 action {_figure(video['action_macro_avg_per_video']['f2'])}"
        )
    if columns := summary.get("columns"):
        name = next((name for name in TEST_NAMES if is_published_benchmark(predictions, eval_mode, name)), None)
        published = published_columns(name, eval_mode) if name else None
        lines += ["", render_columns_table(columns, published)]
    return "\n".join(lines)


_figure = partial(number_or_dash, digits=4)


def render_columns_table(columns: dict, published: dict | None = None) -> str:
    """Text table, 110 characters wide: RMSE, F2-M and F2-A per column; the published row underneath each if given."""
    names = list(columns["num_samples"])
    heads = [name.removesuffix("_hard").removesuffix("_medium") for name in names]
    levels = [name.removeprefix(head).lstrip("_") or "all" for name, head in zip(names, heads, strict=True)]
    lines = [_row("", [*heads, "avg"]), _row("", [*levels, ""])]
    for metric, label in zip(METRICS, ("RMSE", "F2-M %", "F2-A %"), strict=True):
        digits = 3 if metric == "rmse" else 2
        lines.append(_row(label, [number_or_dash(columns[metric][name], digits) for name in [*names, "avg"]]))
        if published is not None:
            paper = [number_or_dash(published[metric][name], digits) for name in [*names, "avg"]]
            lines.append(_row("  paper (MQ-Auditor)", paper))
    lines.append(_row("samples", [str(n) for n in columns["num_samples"].values()] + [""]))
    fewest = min(columns["columns_in_avg"][metric] for metric in METRICS)
    if fewest < len(names):
        lines.append(f"avg is over the columns that have samples ({fewest} of {len(names)})")
    return "\n".join(lines)


def _row(label: str, cells: list[str]) -> str:
    return (f"{label:<20}" + "".join(f"{cell:>9}" for cell in cells)).rstrip()
