"""Three models in a row turn words about a picture into masks: names, then boxes, then masks (paper Sec. 3.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from models.segmenting.boxes import Box
from models.segmenting.ground import load_grounder
from models.segmenting.name import Namer, NamerReply
from models.segmenting.qwen import load_qwen
from models.segmenting.segment import load_segmenter

UNREADABLE, NOTHING_NAMED, NOTHING_FOUND = "the reply could not be read", "no object named", "no named object found"


class NamedMask(NamedTuple):
    """An object's name and its (H, W) bool mask."""

    name: str
    mask: np.ndarray


@dataclass(frozen=True)
class ChainFolders:
    """Local transformers folders of the three models."""

    namer_path: str
    grounder_path: str
    segmenter_path: str


@dataclass(frozen=True)
class ObjectChain:
    """The three models. Pictures are RGB uint8 (H, W, 3)."""

    namer: Callable[[np.ndarray, str], NamerReply]
    grounder: Callable[[np.ndarray, list[str]], list[Box]]
    segmenter: Callable[[np.ndarray, list[tuple[float, float, float, float]]], np.ndarray]

    def segment(self, image: np.ndarray, names: list[str]) -> list[NamedMask]:
        """The masks of the named objects that are found in the picture."""
        boxes = self.grounder(image, names)
        if not boxes:
            return []
        masks = self.segmenter(image, [box.box for box in boxes])
        return [NamedMask(box.name, mask) for box, mask in zip(boxes, masks, strict=True)]

    def find_others(self, image: np.ndarray, target_object: str) -> tuple[list[NamedMask], str | None]:
        """The masks of objects that are not the target; when there are none, the reason as a second value."""
        reply = self.namer(image, target_object)
        if not reply.parsed:
            return [], UNREADABLE
        if not reply.names:
            return [], NOTHING_NAMED
        masks = self.segment(image, reply.names)
        return masks, None if masks else NOTHING_FOUND


def load_chain(folders: ChainFolders, device: torch.device, dtype: torch.dtype) -> ObjectChain:
    """Raises FileNotFoundError or ValueError, naming the folder, when one holds no model of its kind."""
    return ObjectChain(
        namer=Namer(load_qwen(Path(folders.namer_path), device, dtype)),
        grounder=load_grounder(Path(folders.grounder_path), device, dtype),
        segmenter=load_segmenter(Path(folders.segmenter_path), device, dtype),
    )
