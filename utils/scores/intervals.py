"""Intervals of averages when several values come from one video, and so are alike."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

NUM_RESAMPLES = 2000
PERCENTILES = (2.5, 97.5)


def clustered_interval(
    values: Sequence[float], clusters: Sequence[Hashable], seed: int = 0
) -> tuple[float, float] | None:
    """Where the average lies in 95% of NUM_RESAMPLES draws of clusters (videos) with replacement; None without values.

    For the differences of two methods on the same samples this is a paired interval.
    """
    if not len(values):
        return None
    names = {name: i for i, name in enumerate(dict.fromkeys(clusters))}
    place = np.array([names[name] for name in clusters])
    sums, counts = np.bincount(place, weights=values), np.bincount(place)
    drawn = np.random.default_rng(seed).integers(len(names), size=(NUM_RESAMPLES, len(names)))
    averages = sums[drawn].sum(1) / counts[drawn].sum(1)
    low, high = np.percentile(averages, PERCENTILES)
    return float(low), float(high)
