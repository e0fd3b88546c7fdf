"""Ground-truth masks as three protocols prepare them. The two published ways make an object larger by 1 to 4%."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from dataset.media.images import read_mask

TGS_SIZE, REFAVS_SIZE = (224, 224), (256, 256)


def read_truth_tgs(path: Path) -> np.ndarray:
    """(224, 224) bool: grey, bicubic, every value above 0 counts. Raises FileNotFoundError, ValueError."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such mask file")
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("L").resize(TGS_SIZE[::-1])) > 0
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise ValueError(f"{path}: expected an image, got a file that cannot be decoded") from error


def read_truth_refavs(path: Path) -> np.ndarray:
    """(256, 256) bool: in colour, bilinear, then grey, every value above 0 counts. FileNotFoundError, ValueError."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such mask file")
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError(f"{path}: expected an image, got a file that cannot be decoded")
    return cv2.cvtColor(cv2.resize(picture, REFAVS_SIZE[::-1]), cv2.COLOR_BGR2GRAY) > 0


TRUTH_READERS = {"strict": read_mask, "tgs": read_truth_tgs, "refavs": read_truth_refavs}
