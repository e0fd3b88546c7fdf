"""Differences between auditors on the same masks: paired bootstrap by video.

The masks of a video are judged alike, so whole videos are drawn; every auditor is scored on the same draw. The
intervals speak of the choice of test videos alone.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence

from utils.prediction import Prediction
from utils.scores.columns import METRICS, compute_columns

LOW, HIGH = 0.025, 0.975  # a 95% interval

Averages = dict[str, float | None]  # metric -> average over the paper's columns


def column_averages(predictions: Sequence[Prediction], eval_mode: str) -> Averages:
    """RMSE in [0, 1], and F2 of type and action in percent, averaged over the paper's columns."""
    table = compute_columns(list(predictions), eval_mode)
    return {metric: table[metric]["avg"] for metric in METRICS}


def paired_differences(
    runs: Mapping[str, Sequence[Prediction]], eval_mode: str, resamples: int, seed: int = 0
) -> dict[str, dict[str, dict]]:
    """{other run: {metric: {difference, low, high}}}: each run's average minus that of the first one.

    The runs have the same masks in the same order. low, high: where 95% of the draws of videos lie; None where no draw
    has a value.
    """
    rng = random.Random(seed)
    first, *others = runs
    groups = _videos(runs[first])
    drawn: dict[tuple[str, str], list[float]] = defaultdict(list)
    for _ in range(resamples):
        chosen = [place for group in rng.choices(groups, k=len(groups)) for place in group]
        scored = {name: column_averages([own[place] for place in chosen], eval_mode) for name, own in runs.items()}
        for other in others:
            for metric in METRICS:
                if (value := _minus(scored[other][metric], scored[first][metric])) is not None:
                    drawn[other, metric].append(value)
    whole = {name: column_averages(own, eval_mode) for name, own in runs.items()}
    return {
        other: {
            metric: {"difference": _minus(whole[other][metric], whole[first][metric])}
            | dict(zip(("low", "high"), _interval(drawn[other, metric]), strict=True))
            for metric in METRICS
        }
        for other in others
    }


def _videos(predictions: Sequence[Prediction]) -> list[list[int]]:
    """The places of the masks of each video."""
    groups: dict[object, list[int]] = defaultdict(list)
    for place, prediction in enumerate(predictions):
        groups[prediction.vid if prediction.vid is not None else prediction.uid].append(place)
    return list(groups.values())


def _minus(value: float | None, other: float | None) -> float | None:
    return None if value is None or other is None else value - other


def _interval(values: list[float]) -> tuple[float | None, float | None]:
    if not values:
        return None, None
    values = sorted(values)
    return values[int(LOW * (len(values) - 1))], values[int(HIGH * (len(values) - 1))]
