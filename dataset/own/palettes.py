"""Pictures as of DAVIS: each number of the palette is an object, 0 is the background and 255 belongs to none."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dataset.media.pictures import open_picture

NOBODYS = (0, 255)


def read_objects(path: Path) -> dict[int, np.ndarray]:
    """Number of each object -> its mask (H, W) bool. Raises FileNotFoundError, ValueError naming the file."""
    picture = open_picture(path, "mask")
    if picture.is_deep or picture.image.mode not in ("P", "L"):
        got = "16 bits" if picture.is_deep else picture.image.mode
        raise ValueError(f"{path}: expected a picture with a palette, or grey numbers of objects, got {got}")
    numbers = np.asarray(picture.image)
    return {int(number): numbers == number for number in np.unique(numbers) if number not in NOBODYS}
