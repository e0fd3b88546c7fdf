"""Pictures as CLIP's input: arrays -> normalised pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

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
