"""Ground-truth masks as three protocols prepare them. The two published ways make an object larger by 1 to 4%.

What is no mask for `read_mask` is none for them.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from dataset.media.images import read_mask
from dataset.media.pictures import open_picture

TGS_SIZE, REFAVS_SIZE = (224, 224), (256, 256)


def read_truth_tgs(path: Path) -> np.ndarray:
    """(224, 224) bool: grey, bicubic, every value above 0 counts. Raises FileNotFoundError, ValueError."""
    read_mask(path)
    image = open_picture(path, "mask").image
    return np.asarray(image.convert("L").resize(TGS_SIZE[::-1])) > 0


def read_truth_refavs(path: Path) -> np.ndarray:
    """(256, 256) bool: in colour, bilinear, then grey, every value above 0 counts. FileNotFoundError, ValueError."""
    read_mask(path)
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    return cv2.cvtColor(cv2.resize(picture, REFAVS_SIZE[::-1]), cv2.COLOR_BGR2GRAY) > 0


TRUTH_READERS = {"strict": read_mask, "tgs": read_truth_tgs, "refavs": read_truth_refavs}
