"""Counts the objects that a picture shows. A build of the benchmark chooses key frames by this count.

The paper counts with Detic (Sec. 3.3). transformers does not have Detic, so OWLv2, GroundingDINO or MM-GroundingDINO
is used instead.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from models.segmenting import grounding_dino, owlv2
from models.segmenting.folders import check_model_folder
from models.segmenting.grounding_dino import GroundingDino, load_grounding_dino
from models.segmenting.owlv2 import Owlv2, load_owlv2

# The object categories of Ref-AVSBench in words: people, animals, instruments, vehicles, things.
VOCABULARY = [
    "man", "woman", "boy", "girl", "baby",
    "cat", "dog", "leopard", "lion", "pig", "sheep", "tiger", "wolf",
    "accordion", "bass", "cello", "clarinet", "drum", "flute", "guitar", "guzheng", "handpan", "harmonica", "harp",
    "keyboard", "marimba", "piano", "pipa", "saxophone", "sitar", "tabla", "tuba", "ukulele", "violin",
    "airplane", "boat", "car", "emergency car", "helicopter", "motorcycle", "truck",
    "chair", "clock", "couch", "gun", "hair dryer", "mower", "razor", "saw", "table", "vacuum cleaner",
]  # fmt: skip
# Twice the threshold of OWLv2's published example, which also shows doubtful boxes. Here each box counts as one object.
OWLV2_THRESHOLD = 0.2
GROUNDING_DINO_THRESHOLD = grounding_dino.BOX_THRESHOLD
NMS_IOU = 0.5


class Detector:
    """Counts the objects of VOCABULARY in a picture."""

    def __init__(self, model: Owlv2 | GroundingDino, threshold: float):
        self.model = model
        self.threshold = threshold

    def __call__(self, image: np.ndarray) -> int:
        """RGB uint8 (H, W, 3) -> the number of boxes with a score above the threshold.

        Boxes that overlap count once, also when they have different names.
        """
        boxes, scores = self.model.detect(image, VOCABULARY)
        confident = scores > self.threshold
        return len(suppress_duplicates(boxes[confident], scores[confident]))


def load_detector(
    folder: str | Path, device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32
) -> Detector:
    """The detector in a transformers folder. Its config.json says which model it is.

    Raises FileNotFoundError or ValueError, naming the folder, when it holds none of these models.
    """
    model_type = check_model_folder(folder, (owlv2.MODEL_TYPE, *grounding_dino.MODEL_TYPES))
    if model_type in grounding_dino.MODEL_TYPES:
        return Detector(load_grounding_dino(folder, device, dtype), GROUNDING_DINO_THRESHOLD)
    return Detector(load_owlv2(folder, device, dtype), OWLV2_THRESHOLD)


def suppress_duplicates(boxes: np.ndarray, scores: np.ndarray, iou: float = NMS_IOU) -> list[int]:
    """Class-agnostic non-maximum suppression: an object that was found under two names counts once.

    Boxes (N, 4) and scores (N,) -> the indices of the boxes that are kept, best score first. A box is dropped when its
    IoU with a better one that is kept is above `iou`.
    """
    kept, rest = [], np.argsort(-scores, kind="stable")
    while len(rest):
        best, rest = int(rest[0]), rest[1:]
        kept.append(best)
        rest = rest[box_ious(boxes[best], boxes[rest]) <= iou]
    return kept


def box_ious(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Intersection over union of one box (4,) with boxes (N, 4); 0 where both are empty."""
    edges = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    intersection = edges.clip(min=0).prod(axis=1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    union = (box[2:] - box[:2]).prod() + areas - intersection
    return np.divide(intersection, union, out=np.zeros_like(intersection), where=union > 0)
