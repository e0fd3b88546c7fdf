"""The boundary F of DAVIS (Perazzi et al., CVPR 2016): how well the outline of a mask follows that of the truth.

Outside of Ref-AVS this is what people mean by F.
"""

from __future__ import annotations

import cv2
import numpy as np

BOUND = 0.008  # how far apart two outlines may be, as a share of the picture's diagonal


def boundary_f(predicted: np.ndarray, truth: np.ndarray) -> float:
    """Two masks (H, W) bool -> F in [0, 1]; 1 if both are empty, 0 if only one of them is."""
    own, true = outline(predicted), outline(truth)
    if not own.any() or not true.any():
        return float(own.any() == true.any())
    near = _disk(int(np.ceil(BOUND * np.hypot(*truth.shape))))
    precision = (own & _grown(true, near)).sum() / own.sum()
    recall = (true & _grown(own, near)).sum() / true.sum()
    return float(2 * precision * recall / (precision + recall)) if precision + recall else 0.0


def outline(mask: np.ndarray) -> np.ndarray:
    """(H, W) bool: the pixels that differ from the one to the right, below, or right below."""
    more = np.pad(mask, ((0, 1), (0, 1)), mode="edge")
    return (mask != more[:-1, 1:]) | (mask != more[1:, :-1]) | (mask != more[1:, 1:])


def _grown(mask: np.ndarray, shape: np.ndarray) -> np.ndarray:
    return cv2.dilate(mask.astype(np.uint8), shape) > 0


def _disk(radius: int) -> np.ndarray:
    steps = np.arange(-radius, radius + 1)
    return (steps[:, None] ** 2 + steps**2 <= radius**2).astype(np.uint8)
