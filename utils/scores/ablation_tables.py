"""Tables in the shape of the paper's ablations (Tables 5, 6, 9 and 10): six mask types, seen and unseen."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence

from utils.formatting import number_or_dash
from utils.mask_types import PAPER_TYPES
from utils.prediction import Prediction
from utils.scores.columns import METRICS
from utils.scores.counts import mean
from utils.scores.metrics import score_predictions
from utils.splits import TEST_LETTERS, TEST_NAMES

LABELS = {"rmse": "RMSE", "f2_mask_type": "F2-M", "f2_action": "F2-A"}
NUM_RESAMPLES = 200
LOW, HIGH = 0.025, 0.975  # of the resampled averages: a 95% interval

Cells = dict[str, dict]  # {metric: {test name: {type: value}, ..., "avg": value}}


def ablation_cells(tests: Mapping[str, Sequence[Prediction]]) -> Cells:
    """{test name: predictions} -> RMSE in [0, 1] and F2 in percent, per test and type, and their averages."""
    scored = {name: score_predictions(list(own), "image")["per_mask"] for name, own in tests.items()}
    cells: Cells = {
        "rmse": {name: {t: per[t]["rmse"] for t in PAPER_TYPES} for name, per in scored.items()},
        "f2_mask_type": {
            name: {t: _percent(per[t]["mask_metrics"]) for t in PAPER_TYPES} for name, per in scored.items()
        },
        "f2_action": {
            name: {t: _percent(per[t]["action_metrics"]) for t in PAPER_TYPES} for name, per in scored.items()
        },
    }
    for row in cells.values():
        row["avg"] = mean(value for name in tests for value in row[name].values())
    return cells


def bootstrap_intervals(
    tests: Mapping[str, Sequence[Prediction]], seed: int = 0
) -> dict[str, tuple[float | None, float | None]]:
    """{metric: (low, high)}: where the average lies in 95% of NUM_RESAMPLES draws of videos, with replacement.

    It speaks of the choice of test videos alone, not of the training's randomness. (None, None): no draw had a value.
    """
    rng = random.Random(seed)
    videos = {name: _by_video(own) for name, own in tests.items()}
    drawn: dict[str, list[float]] = {metric: [] for metric in METRICS}
    for _ in range(NUM_RESAMPLES):
        chosen = {
            name: [p for own in rng.choices(groups, k=len(groups)) for p in own] for name, groups in videos.items()
        }
        for metric, row in ablation_cells(chosen).items():
            if row["avg"] is not None:
                drawn[metric].append(row["avg"])
    return {metric: _middle(sorted(values)) for metric, values in drawn.items()}


def ablation_markdown(rows: Mapping[str, Cells], intervals: Mapping[str, dict], published: Mapping[str, Cells]) -> str:
    """A Markdown table: rows of runs, the paper's row beneath those that it has."""
    shown = {name for cells in rows.values() for name in cells["rmse"]}
    names = [(name, mask_type) for name in TEST_NAMES if name in shown for mask_type in PAPER_TYPES]
    heads = [f"{TEST_LETTERS[name]} {mask_type}" for name, mask_type in names]
    lines = [f"| metric | run | {' | '.join(heads)} | avg | 95% interval |", "|" + "---|" * (len(heads) + 4)]
    for metric, label in LABELS.items():
        digits = 3 if metric == "rmse" else 1
        for run, cells in rows.items():
            low, high = (number_or_dash(end, digits) for end in intervals[run][metric])
            own = [number_or_dash(cells[metric][name][mask_type], digits) for name, mask_type in names]
            shown = f"{low} to {high}"
            average = number_or_dash(cells[metric]["avg"], digits)
            lines.append(f"| {label} | {run} | {' | '.join(own)} | **{average}** | {shown} |")
            if run in published:
                paper = published[run][metric]
                own = [number_or_dash(paper[name][mask_type], digits) for name, mask_type in names]
                lines.append(f"| | *paper* | {' | '.join(own)} | *{number_or_dash(paper['avg'], digits)}* | |")
    return "\n".join(lines)


def _middle(values: list[float]) -> tuple[float | None, float | None]:
    if not values:
        return None, None
    low, high = (int(share * (len(values) - 1)) for share in (LOW, HIGH))
    return values[low], values[high]


def _by_video(predictions: Sequence[Prediction]) -> list[list[Prediction]]:
    groups = defaultdict(list)
    for prediction in predictions:
        groups[prediction.vid or prediction.uid].append(prediction)
    return list(groups.values())


def _percent(scores: dict) -> float | None:
    return None if scores["f2"] is None else 100 * scores["f2"]
