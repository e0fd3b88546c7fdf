"""Pictures as of DAVIS: each number of the palette is an object, 0 is the background and 255 belongs to none."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from dataset.media.pictures import open_picture

NOBODYS = (0, 255)
SQUARE = np.ones((2, 2), np.uint8)


def read_objects(path: Path) -> dict[int, np.ndarray]:
    """Number of each object -> its mask (H, W) bool, upright. Raises FileNotFoundError, ValueError naming the file."""
    picture = open_picture(path, "mask")
    if picture.is_series:
        raise ValueError(f"{path}: expected one picture, got an animation or several pages")
    if picture.is_deep or picture.image.mode not in ("P", "L"):
        got = "16 bits" if picture.is_deep else picture.image.mode
        raise ValueError(f"{path}: expected a picture with a palette, or grey numbers of objects, got {got}")
    numbers = np.asarray(picture.upright())
    found = {int(number): numbers == number for number in np.unique(numbers)}
    objects = {number: mask for number, mask in found.items() if number not in NOBODYS}
    if not objects and 255 in found:
        got = "255 alone, which belongs to none (the mask of one object: --mask, --pairs)"
        raise ValueError(f"{path}: expected numbers of objects from 1 to 254, got {got}")
    thin = [number for number, mask in objects.items() if not cv2.erode(mask.view(np.uint8), SQUARE).any()]
    if len(thin) > 2 and 2 * len(thin) > len(objects):
        got = (
            f"{len(objects)} numbers, {len(thin)} of them nowhere 2 pixels wide, as blurred or lossy pictures have them"
        )
        raise ValueError(f"{path}: expected numbers of objects, got {got}")
    return objects
