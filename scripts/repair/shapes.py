"""What is done to a mask itself. Every function takes and gives (H, W) bool."""

from __future__ import annotations

import cv2
import numpy as np

NOTCH = 0.15  # widest notch that is closed, as a part of the square root of the mask's area
LEAST_IOU = 0.3  # a rim that explains a lower IoU would be most of the mask


def filled(mask: np.ndarray) -> np.ndarray:
    """Without holes."""
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(np.zeros(mask.shape, np.uint8), outlines, -1, 1, cv2.FILLED) > 0


def closed(mask: np.ndarray) -> np.ndarray:
    """Without holes and narrow notches."""
    width = 2 * max(1, round(NOTCH * np.sqrt(mask.sum()) / 2)) + 1
    padded = np.pad(mask.astype(np.uint8), width)
    shape = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    return filled(cv2.morphologyEx(padded, cv2.MORPH_CLOSE, shape)[width:-width, width:-width] > 0) | mask


def narrowed(mask: np.ndarray, iou: float) -> np.ndarray:
    """Without its outermost pixels, so many that what is left has this IoU with the mask."""
    return _nearest(mask, ~mask, round(mask.sum() * (1 - max(iou, LEAST_IOU))), mask)


def widened(mask: np.ndarray, iou: float) -> np.ndarray:
    """With the pixels next to it, so many that the mask has this IoU with what it becomes."""
    return _nearest(~mask, mask, round(mask.sum() * (1 / max(iou, LEAST_IOU) - 1)), mask)


def part_of(mask: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The connected part of the mask that overlaps most with the target; the mask itself where none does."""
    _, owner = cv2.connectedComponents(mask.astype(np.uint8))
    shared = np.bincount(owner[target & mask], minlength=2)
    return owner == int(shared.argmax()) if shared.any() else mask


def box_of(mask: np.ndarray) -> tuple[float, float, float, float]:
    """x1, y1, x2, y2 around a mask that is not empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def _nearest(chosen_from: np.ndarray, near: np.ndarray, count: int, mask: np.ndarray) -> np.ndarray:
    """The mask with `count` pixels of `chosen_from` turned over: those that are nearest to `near`."""
    count = min(count, int(chosen_from.sum()) - 1)
    if count <= 0 or not near.any():
        return mask
    distance = cv2.distanceTransform((~near).astype(np.uint8), cv2.DIST_L2, 5)
    places = np.flatnonzero(chosen_from)
    turned = places[np.argsort(distance.ravel()[places], kind="stable")[:count]]
    changed = mask.copy()
    changed.ravel()[turned] ^= True
    return changed
