"""A mask drawn on its frame: tinted inside, with an outline. Pages are in `page`."""

from __future__ import annotations

import cv2
import numpy as np

TINT, TINT_ALPHA = (0, 170, 255), 0.5
EDGE, BEHIND_EDGE = (255, 255, 255), (255, 214, 10)


def size_within(frame: np.ndarray, width: int, height: int) -> tuple[int, int]:
    """(width, height) of the frame scaled to the largest size that fits into the given room."""
    scale = min(width / frame.shape[1], height / frame.shape[0])
    return max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale))


def scaled(frame: np.ndarray, mask: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Frame (H, W, 3) uint8 and mask (H, W) bool at `size` (width, height).

    The mask becomes float32: the share of each shown pixel that is inside.
    """
    smaller = size[0] < frame.shape[1]
    of_frame, of_mask = (cv2.INTER_AREA, cv2.INTER_AREA) if smaller else (cv2.INTER_CUBIC, cv2.INTER_NEAREST)
    inside = cv2.resize(mask.astype(np.float32), size, interpolation=of_mask)
    return cv2.resize(frame, size, interpolation=of_frame), inside


def tinted(shown: np.ndarray, inside: np.ndarray, behind: np.ndarray | None = None) -> np.ndarray:
    """The output of `scaled` as one picture (h, w, 3) uint8: tinted inside the mask, its edge in white.

    The edge of `behind`, another mask of the same size, is yellow where the two edges differ.
    """
    alpha = inside[..., None]
    picture = (shown * (1 - TINT_ALPHA * alpha) + np.float32(TINT) * TINT_ALPHA * alpha).round().astype(np.uint8)
    for mask, colour in ((behind, BEHIND_EDGE), (inside, EDGE)):
        if mask is not None:
            outlines, _ = cv2.findContours((mask > 0).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
            cv2.drawContours(picture, outlines, -1, colour, 2, cv2.LINE_AA)
    return picture
