"""All masks of a benchmark that are made from one ground-truth mask, with rank, action and answer (paper Sec. 3.2).

Masks of the types cutout, dilate and erode come from `geometry`, the other objects from `negatives`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dataset.construction.geometry import Band, OutOfReach, Shape, cutout, dilate, erode
from dataset.construction.negatives import Negative
from utils.audit import Audit, render_audit

# Paper Sec. 3.2: rank -> range of IoU in percent, and action. Rank 1 is hard, rank 2 medium.
BANDS = {1: (Band(85, 90), "minor revision"), 2: (Band(75, 80), "major revision")}
# The first one whose least IoU is reached.
MERGE_ACTIONS = ((0.9, "minor revision"), (0.75, "major revision"), (0.0, "reject"))
EDITS: dict[str, Callable[[Shape, Band, np.random.Generator], np.ndarray]] = {
    "cutout": cutout,
    "dilate": dilate,
    "erode": erode,
}


@dataclass(frozen=True)
class MadeMask:
    """One mask of a benchmark. `rank` is None for the perfect mask. `negative_object`: the wrong object, if any."""

    mask: np.ndarray  # (H, W) bool
    audit: Audit
    response: str
    rank: int | None = None
    negative_object: str | None = None

    @property
    def name(self) -> str:
        """The name of its file, without ending."""
        return "gt" if self.rank is None else f"{self.audit.mask_type}_{self.rank}"


@dataclass(frozen=True)
class MissingMask:
    """A mask that cannot be made from this ground truth, and the reason."""

    mask_type: str
    rank: int
    reason: str


def make_candidates(
    gt: np.ndarray, target_object: str, negatives: list[Negative], rng: np.random.Generator
) -> tuple[list[MadeMask], list[MissingMask]]:
    """The masks of one (H, W) bool ground truth, and those that cannot be made.

    Their order: perfect; cutout, dilate and erode of both ranks; one merge, then one full_neg for each negative.
    `negatives` are chosen and ordered by `negatives.usable_negatives`. Raises ValueError for an empty ground truth.
    """
    shape = Shape(gt)
    made = [_made(shape.gt, "perfect", 1.0, "accept", target_object)]
    missing = []
    for mask_type, edit in EDITS.items():
        for rank, (band, action) in BANDS.items():
            try:
                mask = edit(shape, band, rng)
            except OutOfReach as error:
                missing.append(MissingMask(mask_type, rank, str(error)))
                continue
            made.append(_made(mask, mask_type, iou_of(shape.gt, mask), action, target_object, rank))
    return made + _merges(shape, target_object, negatives) + _full_negs(target_object, negatives), missing


def _merges(shape: Shape, target_object: str, negatives: list[Negative]) -> list[MadeMask]:
    """Ground truth united with one negative each, highest IoU first (Eq. 7)."""
    sizes = [int(np.count_nonzero(negative.mask)) for negative in negatives]
    merges = []
    for rank, i in enumerate(sorted(range(len(negatives)), key=lambda i: sizes[i]), start=1):
        iou = shape.area / (shape.area + sizes[i])
        action = next(action for low, action in MERGE_ACTIONS if iou >= low)
        mask = shape.gt | negatives[i].mask
        merges.append(_made(mask, "merge", iou, action, target_object, rank, negatives[i].name))
    return merges


def _full_negs(target_object: str, negatives: list[Negative]) -> list[MadeMask]:
    """The negatives themselves, hardest first (Eq. 3)."""
    return [
        _made(negative.mask, "full_neg", 0.0, "reject", target_object, rank, negative.name)
        for rank, negative in enumerate(negatives, start=1)
    ]


def _made(
    mask: np.ndarray,
    mask_type: str,
    iou: float,
    action: str,
    target_object: str,
    rank: int | None = None,
    negative_object: str | None = None,
) -> MadeMask:
    audit = Audit(mask_type, iou, action)
    return MadeMask(mask, audit, render_audit(audit, target_object, negative_object), rank, negative_object)


def iou_of(gt: np.ndarray, mask: np.ndarray) -> float:
    """Intersection over union of two (H, W) bool masks. At most one of them may be empty."""
    return int(np.count_nonzero(gt & mask)) / int(np.count_nonzero(gt | mask))
