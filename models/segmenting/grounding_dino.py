"""GroundingDINO and MM-GroundingDINO: a picture and words -> boxes with scores.

Calling the model finds the best box of each phrase. `detect` uses it to find all objects of a vocabulary.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from transformers import AutoModelForZeroShotObjectDetection, PreTrainedModel, PreTrainedTokenizerBase

from models.language.tokenizer_files import read_tokenizer
from models.segmenting.boxes import Box
from models.segmenting.folders import check_model_folder, load_folder
from models.segmenting.pictures import (
    IMAGENET,
    Normalisation,
    autocast,
    check_picture,
    fit_edges,
    make_pixel_values,
    read_normalisation,
)

MODEL_TYPES = ("grounding-dino", "mm-grounding-dino")
SHORTEST_EDGE, LONGEST_EDGE = 800, 1333  # pixels, as both are published
BOX_THRESHOLD = 0.25  # transformers' default for both models


class GroundingDino:
    """Finds boxes of named objects; the same code runs both model types."""

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

    def __call__(self, image: np.ndarray, names: list[str]) -> list[Box]:
        """RGB uint8 (H, W, 3) and object phrases -> for each phrase its best box above BOX_THRESHOLD, if any.

        There is one forward pass for each phrase, so that the answers are independent. In one caption for all, the
        phrases share the object queries and mix in the fusion layers: the box and score of one phrase then depend on
        the others, and two phrases with a common word ("brown dog. black dog.") are confused.

        Raises ValueError for a phrase without words or with more words than the model reads.
        """
        found = []
        for name in names:
            boxes, scores = self.detect(image, [name])
            best = int(scores.argmax()) if len(scores) else None
            if best is not None and scores[best] > BOX_THRESHOLD:
                found.append(Box(name, tuple(boxes[best].tolist()), float(scores[best])))
        return found

    def detect(self, image: np.ndarray, names: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """RGB uint8 (H, W, 3) -> boxes (N, 4) as x1, y1, x2, y2 in pixels of the picture, and scores (N,) in [0, 1].

        All names stand in one caption. The score of a box is that of the best token of the caption. The model gives a
        box for each of its object queries; boxes that lie outside the picture are left out.
        """
        height, width = check_picture(image)
        boxes, scores = self.query_boxes(image, make_caption(names))
        return on_picture(corners(torch.from_numpy(boxes), height, width), scores, height, width)

    @torch.inference_mode()
    def query_boxes(self, image: np.ndarray, caption: str) -> tuple[np.ndarray, np.ndarray]:
        """The boxes of all object queries, in the model's order: centre x, centre y, width, height as shares of the
        picture (N, 4), and their scores (N,).
        """
        size = fit_edges(*check_picture(image), SHORTEST_EDGE, LONGEST_EDGE)
        pixel_values = make_pixel_values(image, size, self.normalisation).to(self.model.device)
        text = {key: ids.to(self.model.device) for key, ids in self.encode(caption).items()}
        with autocast(self.model.device, self.dtype):
            outputs = self.model(pixel_values=pixel_values, **text)
        scores = outputs.logits[0].float().max(dim=-1).values.sigmoid()  # tokens beyond the caption are -inf
        return outputs.pred_boxes[0].float().cpu().numpy(), scores.cpu().numpy()

    def encode(self, caption: str) -> dict[str, Tensor]:
        """The caption's token ids, attention mask and token types, each (1, tokens).

        Raises ValueError for a caption that is too long, since the model would cut it without a word.
        """
        text = self.tokenizer(caption, return_tensors="pt", return_token_type_ids=True)
        length, limit = text["input_ids"].shape[1], self.model.config.max_text_len
        if length > limit:
            raise ValueError(f"GroundingDINO: expected at most {limit} tokens of text, got {length} in {caption!r}")
        return dict(text)


def load_grounding_dino(
    folder: str | Path, device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32
) -> GroundingDino:
    """The model in a transformers folder; matrix products run in `dtype`.

    Raises FileNotFoundError or ValueError, naming the folder, when it holds no such model.
    """
    check_model_folder(folder, MODEL_TYPES)
    model = load_folder(AutoModelForZeroShotObjectDetection, folder, device)
    return GroundingDino(model, read_tokenizer(folder), read_normalisation(folder, IMAGENET), dtype)


def make_caption(names: list[str]) -> str:
    """["Brown dog", "cat"] -> "brown dog. cat.", the form of the captions that the models were trained on.

    Dots and question marks separate phrases, so inside a name they become spaces. Raises ValueError for a name without
    words.
    """
    phrases = [" ".join(re.sub(r"[.?]", " ", name.lower()).split()) for name in names]
    if not phrases or not all(phrases):
        raise ValueError(f"GroundingDINO: expected names with words in them, got {names!r}")
    return "".join(f"{phrase}. " for phrase in phrases).rstrip()


def corners(boxes: Tensor, height: int, width: int) -> np.ndarray:
    """Centre x, centre y, width, height as fractions (N, 4) -> x1, y1, x2, y2 in pixels."""
    centre, half = boxes[:, :2], boxes[:, 2:] / 2
    return (torch.cat([centre - half, centre + half], dim=1) * torch.tensor([width, height] * 2)).numpy()


def on_picture(boxes: np.ndarray, scores: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Boxes (N, 4) clipped to the picture, and their scores (N,); boxes that lie outside it are left out."""
    boxes = boxes.clip(0, np.float32([width, height] * 2))
    has_area = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    return boxes[has_area], scores[has_area]
