"""What a repair of masks has changed: averages before and after, on all samples and on the repaired ones alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from utils.scores.counts import mean
from utils.scores.intervals import clustered_interval
from utils.scores.published import published_tables

METRICS = ("J", "F", "J&F")
NOTICEABLE = 0.01  # of J: a smaller change is neither better nor worse


@dataclass(frozen=True)
class Taken:
    """One sample before and after; metric -> value in [0, 1]. `audits`, `segmented`: what it cost."""

    vid: str
    before: dict[str, float]
    after: dict[str, float]
    is_changed: bool
    audits: int = 0
    segmented: int = 0


def repair_row(taken: Sequence[Taken]) -> dict:
    """One policy's row. "all" and "repaired": metric -> before, after, difference, low, high.

    low and high hold the difference in 95% of draws of videos: a paired interval. "better", "worse": how many of the
    repaired samples have a J that is higher, or lower, by more than NOTICEABLE. Costs are per sample.
    """
    repaired = [one for one in taken if one.is_changed]
    changes = [one.after["J"] - one.before["J"] for one in repaired]
    return {
        "samples": len(taken),
        "num_repaired": len(repaired),
        "better": sum(change > NOTICEABLE for change in changes),
        "worse": sum(change < -NOTICEABLE for change in changes),
        "all": {metric: _compared(taken, metric) for metric in METRICS},
        "repaired": {metric: _compared(repaired, metric) for metric in METRICS},
        "audits_per_sample": mean(one.audits for one in taken),
        "segmented_frames_per_sample": mean(one.segmented for one in taken),
    }


def _compared(taken: Sequence[Taken], metric: str) -> dict:
    before, after = [one.before[metric] for one in taken], [one.after[metric] for one in taken]
    changes = [new - old for old, new in zip(before, after, strict=True)]
    interval = clustered_interval(changes, [one.vid for one in taken])
    low, high = interval or (None, None)
    return {"before": mean(before), "after": mean(after), "difference": mean(changes), "low": low, "high": high}


def distance_closed(row: dict, oracle: dict) -> float | None:
    """Which share of the way from the first masks' J&F to the oracle's a policy goes; None if there is no way to go."""
    way = oracle["all"]["J&F"]["difference"]
    return row["all"]["J&F"]["difference"] / way if way else None


def published_repairs(split: str) -> dict[str, dict[str, float]]:
    """The paper's Table 7: row -> metric -> percent. Empty for a split that it does not have."""
    rows = published_tables()["table7_segmentation"]
    return {name: columns[split] for name, columns in rows.items() if split in columns}
