"""Counting labels and turning counts into precision, recall and F scores; RMSE of IoUs (paper, Eq. 8 and 9).

`metrics` and `video` decide which samples and classes are counted.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

Count = dict[str, int]
Scores = dict[str, float | None]


def count_labels(pairs: Iterable[tuple[str | None, str | None]], classes: Sequence[str]) -> dict[str, Count]:
    """(ground truth, predicted) pairs, or a Counter of them -> {class: {tp, fp, fn}}.

    A prediction that is no class adds no fp; a ground truth that is no class adds no fn, yet its prediction is an fp.
    """
    counts = {name: {"tp": 0, "fp": 0, "fn": 0} for name in classes}
    for (truth, predicted), number in Counter(pairs).items():
        if truth in counts and truth == predicted:
            counts[truth]["tp"] += number
            continue
        if truth in counts:
            counts[truth]["fn"] += number
        if predicted in counts:
            counts[predicted]["fp"] += number
    return counts


def class_scores(count: Count) -> Scores:
    """{tp, fp, fn} -> {precision, recall, f2}; F2 is Eq. 9 with beta = 2.

    Without ground truth recall and f2 are None. Without predictions precision is 0.0, or None if there is no ground
    truth either.
    """
    precision, recall = _precision(count), _recall(count)
    return {"precision": precision, "recall": recall, "f2": f_beta(precision, recall, 2.0)}


def micro_scores(counts: Iterable[Count]) -> Scores:
    """Counts of several classes, summed -> {precision, recall, f1, f2}. `f1` is a true F1 (the published figure)."""
    counts = list(counts)
    total = {key: sum(count[key] for count in counts) for key in ("tp", "fp", "fn")}
    precision, recall = _precision(total), _recall(total)
    f1, f2 = f_beta(precision, recall, 1.0), f_beta(precision, recall, 2.0)
    return {"precision": precision, "recall": recall, "f1": f1, "f2": f2}


def macro_scores(scores: Iterable[Scores], gt_only: bool) -> Scores:
    """Mean {precision, recall, f2} over classes (Eq. 11).

    gt_only: over the classes with ground truth. Otherwise the published image-mode rule: a class that was only ever
    predicted adds nothing to the sums, yet counts in all three divisors.
    """
    scores = [score for score in scores if score["recall" if gt_only else "precision"] is not None]
    keys = ("precision", "recall", "f2")
    if not scores:
        return dict.fromkeys(keys)
    return {key: sum(score[key] or 0.0 for score in scores) / len(scores) for key in keys}


def f_beta(precision: float | None, recall: float | None, beta: float) -> float | None:
    """Eq. 9; 0.0 where precision and recall are both 0, None where either is."""
    if precision is None or recall is None:
        return None
    denominator = beta**2 * precision + recall
    return (1 + beta**2) * precision * recall / denominator if denominator else 0.0


def rmse(pairs: Iterable[tuple[float, float]]) -> float | None:
    """Root mean square difference of (predicted, true) pairs (Eq. 8); None without pairs."""
    squares = [(predicted - truth) ** 2 for predicted, truth in pairs]
    return math.sqrt(sum(squares) / len(squares)) if squares else None


def mean(values: Iterable[float | None]) -> float | None:
    """Mean of the values that are not None; None if there are none."""
    values = [value for value in values if value is not None]
    return sum(values) / len(values) if values else None


def _precision(count: Count) -> float | None:
    predicted = count["tp"] + count["fp"]
    if predicted:
        return count["tp"] / predicted
    return 0.0 if count["fn"] else None


def _recall(count: Count) -> float | None:
    truth = count["tp"] + count["fn"]
    return count["tp"] / truth if truth else None
