"""Pictures as CLIP's input: arrays -> normalised pixels. A frame that several masks share is decoded once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from dataset.media.images import mask_image, read_frame, read_mask, read_upright_frame

PUBLISHED_SIZE = 224


@dataclass(frozen=True)
class PixelTransform:
    """CLIP's preprocessing: resize to a square without keeping the aspect ratio, scale to [0, 1], normalise.

    As published, every picture is first resized to 224 x 224 pixels, then to the tower's size if that is another one.
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
    """Pillow's bicubic resize to `size` x `size`, faster for pictures with black borders, such as masks.

    Pillow resizes the width first, then the height. The first pass leaves black rows black, so those at the top and the
    bottom are left out of it.
    """
    rows = np.flatnonzero(picture.reshape(len(picture), -1).any(axis=1))
    top, end = (rows[0], rows[-1] + 1) if len(rows) else (0, 1)
    narrow = np.zeros((len(picture), size, *picture.shape[2:]), np.uint8)
    narrow[top:end] = Image.fromarray(picture[top:end]).resize((size, int(end - top)), Image.Resampling.BICUBIC)
    return np.asarray(Image.fromarray(narrow).resize((size, size), Image.Resampling.BICUBIC))


@dataclass(frozen=True)
class FrameReader:
    """Reads frames and views of masks as pixels. A frame that several masks share is decoded once."""

    transform: PixelTransform

    def pixels(self, path: Path) -> torch.Tensor:
        """(3, S, S) float32 CLIP pixels of a whole frame."""
        return _cached_pixels(path, self.transform)

    def mask_pixels(self, frame_path: Path, mask_path: Path, view: str) -> torch.Tensor:
        """(3, S, S) float32 CLIP pixels of one view of a mask."""
        return self.transform(mask_image(_cached_frame(frame_path), _cached_mask(mask_path), view))


@lru_cache(32)
def _cached_frame(path: Path) -> np.ndarray:
    return read_upright_frame(path)


@lru_cache(2)
def _cached_mask(path: Path) -> np.ndarray:
    return read_mask(path)


@lru_cache(32)
def _cached_pixels(path: Path, transform: PixelTransform) -> torch.Tensor:
    return transform(read_frame(path))
