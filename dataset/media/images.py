"""Frames and masks: files -> arrays -> CLIP pixels. The only place where images are decoded.

Audio is in `audio`; which files belong to a sample is known by `annotations`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image, UnidentifiedImageError

PUBLISHED_SIZE = 224
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
    picture = _decode(path, cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH)  # 16-bit and faint labels count too
    return picture.any(axis=2) if picture.ndim == 3 else picture > 0


def encode_mask(mask: np.ndarray) -> bytes:
    """(H, W) bool -> a PNG file's bytes: white where True, black elsewhere."""
    return cv2.imencode(".png", mask.astype(np.uint8) * 255)[1].tobytes()


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


@dataclass(frozen=True)
class PixelTransform:
    """CLIP's preprocessing: resize to a square without keeping the aspect ratio, scale to [0, 1], normalise.

    As published, every picture is first made 224 pixels wide and high; a tower of another size gets that resized again.
    """

    image_size: int
    image_mean: tuple[float, float, float]
    image_std: tuple[float, float, float]

    def __call__(self, picture: np.ndarray) -> torch.Tensor:
        """(H, W, 3) RGB or (H, W) grey, uint8 -> (3, image_size, image_size) float32."""
        for size in dict.fromkeys((PUBLISHED_SIZE, self.image_size)):
            picture = _to_square(picture, size)
        pixels = np.atleast_3d(picture.astype(np.float32)) * np.float32(1 / 255)
        pixels = (pixels - np.float32(self.image_mean)) / np.float32(self.image_std)
        return torch.from_numpy(pixels.transpose(2, 0, 1).copy())


def _to_square(picture: np.ndarray, size: int) -> np.ndarray:
    """Pillow's bicubic resize to `size` x `size`, which makes a picture narrower first, then lower.

    Black rows at the top and bottom are left out of the first pass, which they would leave black: in masked frames and
    masks they are many.
    """
    rows = np.flatnonzero(picture.reshape(len(picture), -1).any(axis=1))
    top, end = (rows[0], rows[-1] + 1) if len(rows) else (0, 1)
    narrow = np.zeros((len(picture), size, *picture.shape[2:]), np.uint8)
    narrow[top:end] = Image.fromarray(picture[top:end]).resize((size, int(end - top)), Image.Resampling.BICUBIC)
    return np.asarray(Image.fromarray(narrow).resize((size, size), Image.Resampling.BICUBIC))
