"""Frames and masks: files -> arrays. No other module decodes images.

`pixels` turns them into CLIP's input; `dataset.benchmark` knows which files belong to a sample.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from utils.whole_files import whole_file

OVERLAY_COLOUR, OVERLAY_ALPHA = (0, 255, 0), 0.5


def read_frame(path: Path) -> np.ndarray:
    """(H, W, 3) uint8 RGB. Raises FileNotFoundError, or ValueError when it cannot be decoded."""
    return np.asarray(_open_rgb(path))


def read_upright_frame(path: Path) -> np.ndarray:
    """(H, W, 3) uint8 RGB, turned as its EXIF data say; masked frames are made from it, as published.

    Raises FileNotFoundError, or ValueError when it cannot be decoded.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: no such frame file")
    return cv2.cvtColor(_decode(path, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def read_mask(path: Path) -> np.ndarray:
    """(H, W) bool, True where a pixel is not black, whatever its colour. Raises FileNotFoundError, ValueError."""
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: no such mask file")
    picture = _decode(path, cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH)  # 16-bit masks and small values count too
    return picture.any(axis=2) if picture.ndim == 3 else picture > 0


def encode_mask(mask: np.ndarray) -> bytes:
    """(H, W) bool -> a PNG file's bytes: white where True, black elsewhere."""
    return cv2.imencode(".png", mask.astype(np.uint8) * 255)[1].tobytes()


def write_picture(path: Path, pixels: np.ndarray, **options) -> None:
    """Write (H, W, 3) uint8 RGB as PNG or JPEG, after the name's ending. `options` are Pillow's of that format."""
    with whole_file(path) as temporary:
        Image.fromarray(pixels).save(temporary, format=Image.registered_extensions()[path.suffix.lower()], **options)


def _decode(path: Path, flags: int) -> np.ndarray:
    try:
        picture = cv2.imdecode(np.fromfile(path, np.uint8), flags)
    except cv2.error:  # an empty file, or a picture beyond OpenCV's limits
        picture = None
    if picture is None:
        raise ValueError(f"{path}: expected an image, got a file that cannot be decoded")
    return picture


def check_image(path: Path) -> tuple[int, int]:
    """(H, W) of a frame that decodes to its end. Raises FileNotFoundError, ValueError."""
    width, height = _open_rgb(path).size
    return height, width


def _open_rgb(path: Path) -> Image.Image:
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: no such frame file")
    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        reason = str(error).replace(str(path), "it").splitlines()[0]
        raise ValueError(f"{path}: expected an image, got a file that cannot be decoded ({reason})") from None


def resize_mask(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H, W) bool -> `size` (height, width), nearest neighbour."""
    if mask.shape == size:
        return mask
    return cv2.resize(mask.astype(np.uint8), size[::-1], interpolation=cv2.INTER_NEAREST) > 0


def mask_image(frame: np.ndarray, mask: np.ndarray, view: str) -> np.ndarray:
    """One view of a mask as a picture, uint8, grey (H, W) or RGB (H, W, 3).

    mask: white on black, grey, the mask's own size. masked_frame: the frame, black outside the mask (paper Sec. 4).
    mask_overlay: the frame, half green inside the mask (paper Sec. D).
    """
    if view == "mask":
        return mask.astype(np.uint8) * 255
    inside = resize_mask(mask, frame.shape[:2])
    if view == "masked_frame":
        return cv2.bitwise_and(frame, frame, mask=inside.astype(np.uint8))
    tinted = frame * (1 - OVERLAY_ALPHA) + np.float64(OVERLAY_COLOUR) * OVERLAY_ALPHA
    return np.where(inside[..., None], tinted.round(), frame).astype(np.uint8)
