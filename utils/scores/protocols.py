"""Three ways of scoring the masks of a segmentation method, from frames to the averages of a split.

- strict: at the truth's own size. J and F of the mask as it is: no threshold is chosen with the truth. Where the truth
  of a frame is empty, J and F are 1 if the mask is empty, too, and 0 otherwise. Beside them the boundary F.
- tgs: as TGS-Agent scores. 224 x 224; the best threshold for each expression; the average over expressions.
- refavs: as Ref-AVS scores EEMC. 256 x 256; a pixel is inside above 0.4; J, F and S of four expressions together, then
  the average over these batches. A shorter last one weighs like the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from utils.scores.boundaries import boundary_f
from utils.scores.counts import mean
from utils.scores.intervals import clustered_interval
from utils.scores.regions import f_measure, f_score, null_share, region_ious

PROTOCOLS = ("strict", "tgs", "refavs")
REFAVS_BATCH, REFAVS_CUT = 4, 0.4
METRICS = ("J", "F", "J&F", "boundary_F", "S", "silent")


@dataclass(frozen=True)
class Stack:
    """The frames of one expression at one size: `hard` and `truth` (T, H, W) bool, `soft` (T, H, W) float32."""

    hard: np.ndarray
    soft: np.ndarray
    truth: np.ndarray


@dataclass
class SampleScores:
    """One expression's values, each in [0, 1]: protocol -> metric -> value."""

    key: str
    uid: str
    vid: str
    split: str
    category: str
    num_objects: int
    is_null: bool
    is_first: bool
    num_frames: int
    values: dict[str, dict[str, float | None]] = field(default_factory=dict)


def strict_scores(stack: Stack, is_null: bool) -> dict[str, float | None]:
    """J, F, J&F and boundary F of one expression; of a null reference S, and whether all frames were left free."""
    if is_null:
        roots = [null_share(mask) for mask in stack.hard]
        return {"S": mean(roots), "silent": float(not stack.hard.any())}
    pairs = list(zip(stack.hard, stack.truth, strict=True))
    j, f = strict_j(stack), mean(_strict_f(own, true) for own, true in pairs)
    both = None if j is None else (j + f) / 2
    return {"J": j, "F": f, "J&F": both, "boundary_F": mean(boundary_f(own, true) for own, true in pairs)}


def strict_j(stack: Stack) -> float | None:
    """J of one expression alone, as `strict_scores` has it; None without frames."""
    return mean(_strict_j(own, true) for own, true in zip(stack.hard, stack.truth, strict=True))


def tgs_scores(stack: Stack, is_null: bool) -> dict[str, float | None]:
    """As published: an expression without any frame has J and F, or S, of 0."""
    if is_null:
        return {"S": float(np.mean([null_share(mask) for mask in stack.hard])) if len(stack.hard) else 0.0}
    j = float(region_ious(stack.hard, stack.truth).mean()) if len(stack.hard) else 0.0
    f = f_measure(stack.soft, stack.truth) if len(stack.hard) else 0.0
    return {"J": j, "F": f, "J&F": (j + f) / 2}


def refavs_scores(stacks: Sequence[Stack], is_null: bool) -> dict[str, float | None]:
    """One batch of expressions."""
    soft, truth = np.concatenate([s.soft for s in stacks]), np.concatenate([s.truth for s in stacks])
    if not len(soft):
        return {}
    if is_null:
        return {"S": null_share(soft > 0.5)}
    j, f = float(region_ious(soft > REFAVS_CUT, truth).mean()), f_measure(soft, truth)
    return {"J": j, "F": f, "J&F": (j + f) / 2}


def batches(items: Sequence, size: int = REFAVS_BATCH) -> Iterable[Sequence]:
    return (items[start : start + size] for start in range(0, len(items), size))


def averages(samples: Sequence[SampleScores], protocol: str) -> dict:
    """metric -> average; "samples"; and "intervals": metric -> [low, high] over draws of videos, 95%.

    tgs scores only the first row of a uid.
    """
    own = [sample for sample in samples if protocol in sample.values and (sample.is_first or protocol != "tgs")]
    summary: dict = {"samples": len(own)}
    intervals = {}
    for metric in METRICS:
        known = [s for s in own if s.values[protocol].get(metric) is not None]
        if known:
            values = [s.values[protocol][metric] for s in known]
            summary[metric] = mean(values)
            intervals[metric] = clustered_interval(values, [s.vid for s in known])
    return summary | {"intervals": intervals}


def batch_averages(batch_values: Sequence[dict], num_samples: int) -> dict:
    """The averages of refavs, over its batches."""
    own = {metric: mean(values.get(metric) for values in batch_values) for metric in METRICS}
    return {"samples": num_samples, **{metric: value for metric, value in own.items() if value is not None}}


def _strict_j(own: np.ndarray, true: np.ndarray) -> float:
    return float((own & true).sum() / (own | true).sum()) if (own | true).any() else 1.0


def _strict_f(own: np.ndarray, true: np.ndarray) -> float:
    if not true.any():
        return float(not own.any())
    return float(f_score((own & true).sum(), own.sum(), true.sum()))
