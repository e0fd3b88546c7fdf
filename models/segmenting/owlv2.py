"""OWLv2: a picture and names of objects -> boxes with scores.

Knows its square picture, how it is asked and what its outputs mean. Which names are asked for is decided in `detect`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForZeroShotObjectDetection, PreTrainedModel, PreTrainedTokenizerBase

from models.language.tokenizer_files import read_tokenizer
from models.segmenting.folders import check_model_folder, load_folder
from models.segmenting.grounding_dino import corners, on_picture
from models.segmenting.pictures import (
    CLIP,
    Normalisation,
    autocast,
    check_picture,
    make_pixel_values,
    read_normalisation,
)

MODEL_TYPE = "owlv2"
GREY = 128  # of 255: OWLv2 pads with 0.5


class Owlv2:
    """Finds boxes of named objects. Its `detect` is called like that of GroundingDino."""

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

        A box's score is the score of the name that fits it best. The model gives one box for each patch of the picture;
        boxes that lie outside the picture are left out.
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


def load_owlv2(folder: str | Path, device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32) -> Owlv2:
    """The model in a transformers folder; matrix products run in `dtype`.

    Raises FileNotFoundError or ValueError, naming the folder, when it holds no such model.
    """
    check_model_folder(folder, (MODEL_TYPE,))
    model = load_folder(AutoModelForZeroShotObjectDetection, folder, device)
    return Owlv2(model, read_tokenizer(folder), read_normalisation(folder, CLIP), dtype)


def pad_to_square(image: np.ndarray) -> np.ndarray:
    """(H, W, 3) -> (S, S, 3), S the longer edge: grey at the bottom or the right."""
    height, width = image.shape[:2]
    side = max(height, width)
    return np.pad(image, ((0, side - height), (0, side - width), (0, 0)), constant_values=GREY)
