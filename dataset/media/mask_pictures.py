"""Ways of showing a mask to a model that was never trained on audits: pictures as file bytes."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from dataset.media.images import encode_mask, mask_image, read_mask, read_upright_frame, resize_mask

OUTLINE, WIDTH, MARGIN = (255, 0, 0), 3, 0.25
# view -> the pictures that it consists of, each with the words before it. `mask` is the published one.
MASK_VIEWS = {
    "mask": (("Binary mask", "mask"),),
    "mask_and_masked_frame": (("Binary mask", "mask"), ("Key video frame, black outside the mask", "masked_frame")),
    "overlay": (("Key video frame, green inside the mask", "mask_overlay"),),
    "outline": (("Key video frame, the mask outlined in red", "outline"),),
    "crop": (("Key video frame, the mask outlined in red, and beside it the part around the mask enlarged", "crop"),),
}


def mask_picture(frame_path: Path, mask_path: Path, kind: str) -> bytes:
    """One picture of a mask as a PNG file's bytes; the kinds are those of MASK_VIEWS. ValueError as `read_mask`."""
    mask = read_mask(mask_path)
    if kind == "mask":
        return encode_mask(mask)
    frame = read_upright_frame(frame_path)
    if kind in ("masked_frame", "mask_overlay"):
        return _png(mask_image(frame, mask, kind))
    outlined = _outlined(frame, resize_mask(mask, frame.shape[:2]))
    return _png(outlined if kind == "outline" else _beside_crop(outlined, resize_mask(mask, frame.shape[:2])))


def _outlined(frame: np.ndarray, mask: np.ndarray) -> np.ndarray:
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(frame.copy(), outlines, -1, OUTLINE, WIDTH)


def _beside_crop(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The picture, and right of it the box of the mask with a margin, enlarged to the same height."""
    height, width = mask.shape
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return picture
    top, bottom = _widened(rows[0], rows[-1] + 1, height)
    left, right = _widened(columns[0], columns[-1] + 1, width)
    crop = picture[top:bottom, left:right]
    scale = min(height / crop.shape[0], width / crop.shape[1])
    crop = cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    padded = np.zeros((height, crop.shape[1], 3), np.uint8)
    padded[: crop.shape[0]] = crop[:height]
    return np.concatenate([picture, padded], axis=1)


def _widened(start: int, stop: int, most: int) -> tuple[int, int]:
    margin = round(MARGIN * (stop - start)) + 1
    return max(0, start - margin), min(most, stop + margin)


def _png(picture: np.ndarray) -> bytes:
    return cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes()
