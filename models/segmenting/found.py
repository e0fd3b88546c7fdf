"""What segmenters that words prompt find, and what all of them can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class FoundObject:
    """`mask` (H, W) bool and `soft` (H, W) float32 in [0, 1]; `score`: how sure the model is; `box` in pixels."""

    mask: np.ndarray
    soft: np.ndarray
    score: float
    box: tuple[float, float, float, float] | None = None


class TextSegmenter(ABC):
    """Words and pictures -> objects."""

    @abstractmethod
    def __call__(self, image: np.ndarray, text: str, most: int = 1) -> list[FoundObject]:
        """RGB uint8 (H, W, 3) and words -> up to `most` objects, best first."""

    def in_frames(self, images: Sequence[np.ndarray], text: str, most: int = 1) -> list[list[FoundObject]]:
        """As calling, for each frame of a video."""
        return [self(image, text, most) for image in images]


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """float32, of the shape of the logits."""
    return torch.from_numpy(np.ascontiguousarray(logits, dtype=np.float32)).sigmoid().numpy()
