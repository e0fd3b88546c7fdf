"""Open-vocabulary detectors: a picture -> how many objects it shows, to choose key frames by.

The paper counts with Detic (Sec. 3.3), which transformers does not have; OWLv2, GroundingDINO and
MM-GroundingDINO take its place. Knows the vocabulary, OWLv2's picture and duplicates; which frame wins is the caller's.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForZeroShotObjectDetection, PreTrainedModel, PreTrainedTokenizerBase

from models.segmenting import grounding_dino
from models.segmenting.folders import check_model_folder, load_folder, load_text_tokenizer
from models.segmenting.grounding_dino import GroundingDino, corners, load_grounding_dino, on_picture
from models.segmenting.pictures import (
    CLIP,
    Normalisation,
    autocast,
    check_picture,
    make_pixel_values,
    read_normalisation,
)

# The object categories of Ref-AVSBench, by kind, as words: what its frames are rich or poor in.
VOCABULARY = [
    "man", "woman", "boy", "girl", "baby",
    "cat", "dog", "leopard", "lion", "pig", "sheep", "tiger", "wolf",
    "accordion", "bass", "cello", "clarinet", "drum", "flute", "guitar", "guzheng", "handpan", "harmonica", "harp",
    "keyboard", "marimba", "piano", "pipa", "saxophone", "sitar", "tabla", "tuba", "ukulele", "violin",
    "airplane", "boat", "car", "emergency car", "helicopter", "motorcycle", "truck",
    "chair", "clock", "couch", "gun", "hair dryer", "mower", "razor", "saw", "table", "vacuum cleaner",
]  # fmt: skip
OWLV2_THRESHOLD = 0.2  # twice its example's, which lists doubtful boxes too: here each box counts in full
GROUNDING_DINO_THRESHOLD = grounding_dino.BOX_THRESHOLD
NMS_IOU = 0.5
GREY = 128  # of 255: OWLv2 pads with 0.5


class Owlv2:
    """OWLv2 behind the same `detect` as GroundingDINO."""

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        normalisation: Normalisation,
        dtype: torch.dtype = torch.float32,
    ):
        self.model = model
        self.tokenizer = tokenizer
        self.normalisation = normalisation
        self.dtype = dtype

    @torch.inference_mode()
    def detect(self, image: np.ndarray, names: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """RGB uint8 (H, W, 3) -> boxes (N, 4) as x1, y1, x2, y2 in pixels of the picture, and scores (N,) in [0, 1].

        A box's score is that of the name which fits it best. All patches whose boxes lie on the picture are given.
        """
        height, width = check_picture(image)
        image_size = self.model.config.vision_config.image_size
        pixel_values = make_pixel_values(pad_to_square(image), (image_size, image_size), self.normalisation)
        text = {key: ids.to(self.model.device) for key, ids in self.encode(names).items()}
        with autocast(self.model.device, self.dtype):
            outputs = self.model(pixel_values=pixel_values.to(self.model.device), **text)
        scores = outputs.logits[0].float().max(dim=-1).values.sigmoid()
        side = max(height, width)
        boxes = corners(outputs.pred_boxes[0].float().cpu(), side, side)
        return on_picture(boxes, scores.cpu().numpy(), height, width)

    def encode(self, names: list[str]) -> dict[str, torch.Tensor]:
        """One query per name, (names, tokens), in the words that the model was trained with."""
        length = self.model.config.text_config.max_position_embeddings
        queries = [f"a photo of a {name}" for name in names]
        text = self.tokenizer(queries, padding="max_length", truncation=True, max_length=length, return_tensors="pt")
        return {"input_ids": text["input_ids"], "attention_mask": text["attention_mask"]}


class Detector:
    """Counts the objects of VOCABULARY on a picture."""

    def __init__(self, model: Owlv2 | GroundingDino, threshold: float):
        self.model = model
        self.threshold = threshold

    def __call__(self, image: np.ndarray) -> int:
        """RGB uint8 (H, W, 3) -> the number of boxes above the threshold, duplicates of any two names removed."""
        boxes, scores = self.model.detect(image, VOCABULARY)
        confident = scores > self.threshold
        return len(suppress_duplicates(boxes[confident], scores[confident]))


def load_detector(
    folder: str | Path, device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32
) -> Detector:
    """The detector in a transformers folder, of the kind that its config.json names.

    Raises FileNotFoundError or ValueError, naming the folder, when it holds none of the kinds.
    """
    model_type = check_model_folder(folder, ("owlv2", *grounding_dino.MODEL_TYPES))
    if model_type in grounding_dino.MODEL_TYPES:
        return Detector(load_grounding_dino(folder, device, dtype), GROUNDING_DINO_THRESHOLD)
    model = load_folder(AutoModelForZeroShotObjectDetection, folder, device)
    owlv2 = Owlv2(model, load_text_tokenizer(folder), read_normalisation(folder, CLIP), dtype)
    return Detector(owlv2, OWLV2_THRESHOLD)


def pad_to_square(image: np.ndarray) -> np.ndarray:
    """(H, W, 3) -> (S, S, 3), S the longer edge: grey at the bottom or the right."""
    height, width = image.shape[:2]
    side = max(height, width)
    return np.pad(image, ((0, side - height), (0, side - width), (0, 0)), constant_values=GREY)


def suppress_duplicates(boxes: np.ndarray, scores: np.ndarray, iou: float = NMS_IOU) -> list[int]:
    """Indices of the boxes (N, 4) that stay, best score first: each drops the worse ones that overlap it above `iou`.

    Class-agnostic non-maximum suppression: one thing under two names counts once.
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
