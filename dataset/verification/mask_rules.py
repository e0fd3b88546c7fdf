"""Which pixels a mask of each type may have, given the ground truth (paper Sec. 3.2, Eq. 2-7).

A fault is one sentence. Rules about IoU, rank and action are in `label_rules`.
"""

from __future__ import annotations

from functools import cached_property

import cv2
import numpy as np

SQUARE = np.ones((3, 3), np.uint8)  # a pixel and its eight neighbours
SMALLEST_PART = 0.25  # a dilate mask grows along at least this share of the contour
ROUNDING = 2.0  # pixels by which growth on a pixel grid may differ from the formula


class GroundTruth:
    """The ground-truth mask of a frame, with properties that every comparison needs."""

    def __init__(self, mask: np.ndarray):
        self.mask = mask
        self.area = int(np.count_nonzero(mask))
        self.box = bounding_box(mask)

    @cached_property
    def contour(self) -> np.ndarray:
        """(h, w) bool in the box: object pixels of which a neighbour (one of eight) lies outside object or frame."""
        padded = np.pad(self.mask[self.box], 1).view(np.uint8)
        return (padded & ~cv2.erode(padded, SQUARE))[1:-1, 1:-1].view(bool)

    def common(self, mask: np.ndarray) -> int:
        """Number of pixels that belong to both masks."""
        return int(np.count_nonzero(self.mask[self.box] & mask[self.box]))

    def iou(self, mask: np.ndarray) -> float:
        """Intersection over union; 0 when both are empty."""
        common = self.common(mask)
        return common / max(1, self.area + int(np.count_nonzero(mask)) - common)


def bounding_box(mask: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns that contain the whole mask; empty slices for an empty mask."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return slice(0, 0), slice(0, 0)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def box_iou(first: tuple[slice, slice], second: tuple[slice, slice]) -> float:
    """Intersection over union of two boxes, in pixels."""
    sides = [min(a.stop, b.stop) - max(a.start, b.start) for a, b in zip(first, second, strict=True)]
    common = max(0, sides[0]) * max(0, sides[1])
    areas = [(box[0].stop - box[0].start) * (box[1].stop - box[1].start) for box in (first, second)]
    return common / max(1, sum(areas) - common)


def geometry_fault(
    gt: GroundTruth, mask_type: str, mask: np.ndarray, negatives: dict[str, np.ndarray] | None
) -> str | None:
    """A sentence that says why (H, W) bool `mask` cannot be of this type; None if it can.

    `negatives`: name -> full_neg mask of the frame; None if not all of them could be read.
    """
    if mask_type == "perfect":
        return _perfect_fault(gt, mask)
    if mask_type == "full_neg":
        common = gt.common(mask)
        return f"expected a full_neg mask to miss the ground truth, got {_pixels(common)} in common" if common else None
    if mask_type in ("cutout", "erode"):
        outside = int(np.count_nonzero(mask)) - gt.common(mask)
        if outside:
            return f"expected the mask of type {mask_type} inside the ground truth, got {_pixels(outside)} outside it"
        return _cutout_fault(gt, mask) if mask_type == "cutout" else _erode_fault(gt, mask)
    missing = gt.area - gt.common(mask)
    if missing:
        return f"expected the mask of type {mask_type} to cover the ground truth, got {_pixels(missing)} of it missing"
    return _dilate_fault(gt, mask, negatives or {}) if mask_type == "dilate" else _merge_fault(gt, mask, negatives)


def _perfect_fault(gt: GroundTruth, mask: np.ndarray) -> str | None:
    different = int(np.count_nonzero(gt.mask ^ mask))
    return f"expected the ground truth itself, got a mask with {_pixels(different)} that differ" if different else None


def _cutout_fault(gt: GroundTruth, mask: np.ndarray) -> str | None:
    removed = int(np.count_nonzero(gt.contour & ~mask[gt.box]))
    return f"expected a cutout off the contour, got {_pixels(removed)} of the contour removed" if removed else None


def _erode_fault(gt: GroundTruth, mask: np.ndarray) -> str | None:
    """Every connected part that was removed must touch the contour."""
    holes = _parts_apart((gt.mask & ~mask)[gt.box], gt.contour)
    return f"expected an erode to shrink from the contour, got {holes} off the contour" if holes else None


def _dilate_fault(gt: GroundTruth, mask: np.ndarray, negatives: dict[str, np.ndarray]) -> str | None:
    """The added pixels must touch the object, lie near it, and not be exactly another object."""
    if union := _union_with(gt, mask, negatives):
        return f"expected a dilate, got a merge: the ground truth united with {union}"
    window = bounding_box(mask)
    added = (mask & ~gt.mask)[window]
    around = cv2.dilate(gt.mask[window].view(np.uint8), SQUARE).view(bool)
    if apart := _parts_apart(added, around):
        return f"expected a dilate to grow from the ground truth, got {apart} that do not touch it"
    return _distance_fault(gt, added, window) if added.any() else None


def _distance_fault(gt: GroundTruth, added: np.ndarray, window: tuple[slice, slice]) -> str | None:
    """Added pixels must not be farther away than growth along a quarter of the contour can reach.

    `on_paper` is the distance for a disc that grows along a quarter of its circle: with the same area and the same
    number of added pixels, no shape grows farther than a disc. Near the border of the frame the object has less room
    and grows farther on its other sides. There the bound is four times the width of a margin that has as many pixels
    and surrounds the whole object.
    """
    count = int(np.count_nonzero(added))
    farthest = float(_distances(gt.mask[window])[added].max())
    on_paper = (np.sqrt(1 + count / gt.area / SMALLEST_PART) - 1) * np.sqrt(gt.area / np.pi)
    if farthest <= on_paper + ROUNDING:
        return None
    margin = np.partition(_distances(gt.mask)[~gt.mask], count - 1)[count - 1]
    bound = max(on_paper, float(margin) / SMALLEST_PART) + ROUNDING
    if farthest <= bound:
        return None
    return f"expected a dilate within {bound:.1f} pixels of the ground truth, got pixels {farthest:.1f} away"


def _distances(mask: np.ndarray) -> np.ndarray:
    """Distance in pixels from each pixel to the nearest pixel of the mask."""
    return cv2.distanceTransform((~mask).view(np.uint8), cv2.DIST_L2, 5)


def _merge_fault(gt: GroundTruth, mask: np.ndarray, negatives: dict[str, np.ndarray] | None) -> str | None:
    if negatives is None or _union_with(gt, mask, negatives):
        return None
    return f"expected the ground truth united with one of the frame's {len(negatives)} full_neg masks, got another mask"


def _union_with(gt: GroundTruth, mask: np.ndarray, negatives: dict[str, np.ndarray]) -> str | None:
    """The name of the full_neg mask whose union with the ground truth is `mask`; None if there is none."""
    return next((name for name, other in negatives.items() if np.array_equal(gt.mask | other, mask)), None)


def _parts_apart(parts: np.ndarray, border: np.ndarray) -> str:
    """How many 8-connected parts have no pixel on the border, as text; "" if there are none."""
    count, labels = cv2.connectedComponents(np.ascontiguousarray(parts).view(np.uint8), connectivity=8)
    touches = np.zeros(count, bool)
    touches[0] = True
    touches[labels[border]] = True
    apart = np.flatnonzero(~touches)
    if not len(apart):
        return ""
    size = int(np.isin(labels, apart).sum())
    return f"{len(apart)} part{'s' * (len(apart) != 1)} of {_pixels(size)}"


def _pixels(count: int) -> str:
    return f"{count} pixel{'s' * (count != 1)}"
