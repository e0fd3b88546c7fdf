"""Decisions that keep a promise: which masks to accept, and which to look at first.

Conformal risk control (Angelopoulos et al. 2024) on a calibration split, with videos as the independent units: masks of
one video resemble each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Threshold:
    """Accept a mask whose expected IoU is at least `iou`. Infinite: no threshold keeps the promise, accept none.

    risk: the promise, on average over new videos: at most this share of a video's masks is accepted and wrong.
    measured: that share on the calibration videos. accepted: the share of masks accepted there. videos: their number.
    """

    iou: float
    risk: float
    measured: float
    accepted: float
    videos: int


def accept_threshold(
    expected: Sequence[float], is_wrong: Sequence[bool], videos: Sequence[Hashable], risk: float
) -> Threshold:
    """The lowest threshold for the expected IoU that keeps the promised `risk`.

    For n calibration videos with mean loss m: n / (n + 1) * m + 1 / (n + 1) <= risk. Raises ValueError for a risk that
    is no number between 0 and 1, or for no audits.
    """
    if not 0 < risk < 1:
        raise ValueError(f"risk: expected a number between 0 and 1, got {risk}")
    if not len(expected):
        raise ValueError("risk: expected audits to choose a threshold on, got none")
    expected, wrong = np.array(expected), np.array(is_wrong, dtype=float)
    weights = _video_weights(videos)
    count = len(set(videos))
    order = np.argsort(-expected, kind="stable")
    losses = np.cumsum((wrong * weights)[order])  # mean over videos, if the first k masks are accepted
    fits = count / (count + 1) * losses + 1 / (count + 1) <= risk
    last_of_value = np.append(np.diff(expected[order]) != 0, True)  # masks of equal value are accepted together
    possible = np.flatnonzero(fits & last_of_value)
    if not len(possible):
        return Threshold(float("inf"), risk, 0.0, 0.0, count)
    last = int(possible[-1])
    return Threshold(float(expected[order][last]), risk, float(losses[last]), (last + 1) / len(expected), count)


def risk_coverage(uncertainty: Sequence[float], error: Sequence[float]) -> tuple[np.ndarray, np.ndarray, float]:
    """If the least certain masks are looked at first and mended: how much error is left.

    (n + 1,) shares that are looked at, (n + 1,) mean error left over all n masks, and the area under it.
    """
    error = np.array(error, dtype=float)[np.argsort(-np.array(uncertainty, dtype=float), kind="stable")]
    count = len(error)
    left = (error.sum() - np.append(0.0, np.cumsum(error))) / count
    looked = np.arange(count + 1) / count
    return looked, left, float((left[1:] + left[:-1]).mean() / 2)


def share_of_errors(uncertainty: Sequence[float], is_wrong: Sequence[bool], looked: float = 0.2) -> float | None:
    """If this share of the masks is looked at: which share of the wrong audits is among them. None if none is wrong."""
    wrong = np.array(is_wrong, dtype=float)[np.argsort(-np.array(uncertainty, dtype=float), kind="stable")]
    return float(wrong[: round(len(wrong) * looked)].sum() / wrong.sum()) if wrong.any() else None


def _video_weights(videos: Sequence[Hashable]) -> np.ndarray:
    """(n,) what each mask counts in a mean over videos of means over masks."""
    sizes: dict[Hashable, int] = defaultdict(int)
    for video in videos:
        sizes[video] += 1
    return np.array([1 / sizes[video] / len(sizes) for video in videos])
