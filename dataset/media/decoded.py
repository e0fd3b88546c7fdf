"""Frames, masks and sounds, read through small caches: masks of one video need the same frames and sound."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from torch import Tensor

from dataset.media.audio import read_fbank
from dataset.media.images import mask_image, read_frame, read_mask, read_upright_frame
from dataset.media.pixels import PixelTransform


@dataclass(frozen=True)
class FrameReader:
    """Reads frames and views of masks as pixels. A frame that several masks share is decoded once."""

    transform: PixelTransform

    def pixels(self, path: Path) -> Tensor:
        """(3, S, S) float32 CLIP pixels of a whole frame."""
        return _decode_pixels(path, self.transform)

    def mask_pixels(self, frame_path: Path, mask_path: Path, view: str) -> Tensor:
        """(3, S, S) float32 CLIP pixels of one view of a mask."""
        return self.transform(mask_image(decode_frame(frame_path), _decode_mask(mask_path), view))


@lru_cache(8)
def decode_fbank(path: Path) -> Tensor:
    """(10, frames, 128) filter bank of a sound file; the errors are those of `read_fbank`."""
    return read_fbank(path)


@lru_cache(32)
def decode_frame(path: Path) -> np.ndarray:
    """(H, W, 3) uint8 RGB, upright; the errors are those of `read_upright_frame`."""
    return read_upright_frame(path)


@lru_cache(2)
def _decode_mask(path: Path) -> np.ndarray:
    return read_mask(path)


@lru_cache(32)
def _decode_pixels(path: Path, transform: PixelTransform) -> Tensor:
    return transform(read_frame(path))


def forget_decoded() -> None:
    """Empty the caches."""
    for kept in (decode_fbank, decode_frame, _decode_mask, _decode_pixels):
        kept.cache_clear()
