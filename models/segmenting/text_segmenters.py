"""Segmenters that words prompt: a picture and a text -> one mask, or nothing where nothing is found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase, Sam3Model

from models.language.tokenizer_files import read_tokenizer
from models.segmenting.clipseg import load_clipseg
from models.segmenting.folders import check_model_folder, load_folder
from models.segmenting.found import FoundObject, TextSegmenter, sigmoid
from models.segmenting.grounding_dino import GroundingDino, load_grounding_dino
from models.segmenting.pictures import (
    Normalisation,
    autocast,
    check_picture,
    make_pixel_values,
    read_normalisation,
)
from models.segmenting.segment import Segmenter, enlarge, load_segmenter

BOX_THRESHOLD = 0.1  # of the published scripts
MOST_LOGIT = 32.0  # SAM2's predictor cuts its logits here
PUBLISHED_SIZE = (224, 224)
SAM3_THRESHOLD = 0.3  # transformers' default
SAM3_SIDE, SAM3_TOKENS = 1008, 32
HALF = Normalisation((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


class GroundedSam2(TextSegmenter):
    """GroundingDINO finds boxes, SAM2 makes the mask of the best one, both at the frame's own size."""

    def __init__(self, detector: GroundingDino, segmenter: Segmenter, box_threshold: float = BOX_THRESHOLD):
        self.detector, self.segmenter, self.box_threshold = detector, segmenter, box_threshold

    def __call__(self, image: np.ndarray, text: str, most: int = 1) -> list[FoundObject]:
        """RGB uint8 (H, W, 3) and words -> the `most` best objects above the threshold, best first."""
        size = check_picture(image)
        boxes, scores = self.detector.detect(image, [text])
        best = [i for i in np.argsort(-scores, kind="stable")[:most] if scores[i] > self.box_threshold]
        if not best:
            return []
        logits = self.segmenter.small_logits(image, boxes[best])
        return [
            object_of_logits(own, size, float(scores[i]), tuple(map(float, boxes[i])))
            for own, i in zip(logits, best, strict=True)
        ]


class PublishedGroundedSam2:
    """What the published Ground-Segment scripts feed and choose, mistakes included.

    The first box above the threshold in the detector's order, not the best one. SAM2 gets the frame at 224 x 224
    pixels, with red and blue swapped.

    `find_boxes`: picture, caption, threshold -> (cx, cy, w, h, score) of each box, as shares of the picture, in the
    detector's order. `segment`: picture of 224 x 224 and corners (1, 4) in its pixels -> logits (h, w).
    """

    def __init__(
        self,
        find_boxes: Callable[[np.ndarray, str, float], list[tuple[float, float, float, float, float]]],
        segment: Callable[[np.ndarray, np.ndarray], np.ndarray],
        box_threshold: float = BOX_THRESHOLD,
    ):
        self.find_boxes, self.segment, self.box_threshold = find_boxes, segment, box_threshold

    def __call__(self, image: np.ndarray, caption: str) -> list[FoundObject]:
        """RGB uint8 (H, W, 3) and a caption of `published_caption` -> the object of the first box, if there is one."""
        boxes = self.find_boxes(image, caption, self.box_threshold)
        if not boxes:
            return []
        centre, size = np.float32(boxes[0][:2]), np.float32(boxes[0][2:4])
        corners = np.concatenate([centre - size / 2, centre + size / 2])[None] * np.float32(PUBLISHED_SIZE[0])
        small = cv2.resize(image, PUBLISHED_SIZE, interpolation=cv2.INTER_LINEAR)[:, :, ::-1]
        logits = self.segment(np.ascontiguousarray(small), corners)[None]
        mask = enlarge(logits, PUBLISHED_SIZE)[0] > 0
        soft = sigmoid(enlarge(np.clip(logits, -MOST_LOGIT, MOST_LOGIT), PUBLISHED_SIZE)[0])
        return [FoundObject(mask, soft, float(boxes[0][4]), tuple(map(float, corners[0])))]


class Sam3(TextSegmenter):
    """SAM3: one model from words to masks. The mask of its best query."""

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        normalisation: Normalisation,
        dtype: torch.dtype = torch.float32,
    ):
        self.model, self.tokenizer, self.normalisation, self.dtype = model, tokenizer, normalisation, dtype
        self.side = getattr(model.config.vision_config.backbone_config, "image_size", SAM3_SIDE)

    @torch.inference_mode()
    def __call__(self, image: np.ndarray, text: str, most: int = 1) -> list[FoundObject]:
        """RGB uint8 (H, W, 3) and words -> the `most` best objects above the threshold, best first."""
        size, device = check_picture(image), self.model.device
        pixels = make_pixel_values(image, (self.side, self.side), self.normalisation).to(device)
        longest = min(SAM3_TOKENS, self.model.config.text_config.max_position_embeddings)
        words = self.tokenizer(text, return_tensors="pt", padding="max_length", truncation=True, max_length=longest)
        words = {key: ids.to(device) for key, ids in words.items() if key in ("input_ids", "attention_mask")}
        with autocast(device, self.dtype):
            outputs = self.model(pixel_values=pixels, **words)
        scores = outputs.pred_logits[0].float().sigmoid().flatten()
        if outputs.presence_logits is not None:
            scores = scores * outputs.presence_logits[0].float().sigmoid()
        best = [int(i) for i in scores.argsort(descending=True)[:most] if scores[i] > SAM3_THRESHOLD]
        if not best:
            return []
        logits = enlarge(outputs.pred_masks[0][best].float().cpu().numpy(), size)
        return [FoundObject(own > 0, sigmoid(own), float(scores[i])) for own, i in zip(logits, best, strict=True)]


def load_text_segmenter(
    name: str,
    folders: list[Path],
    device: torch.device,
    dtype: torch.dtype,
    box_threshold: float = BOX_THRESHOLD,
    one_region: bool = False,
) -> TextSegmenter:
    """`name`: grounded_sam2 (folders of GroundingDINO and of SAM2), sam3 or clipseg (one folder).

    `one_region`: see `ClipSeg`.

    Raises FileNotFoundError or ValueError, naming the folder, when one holds no model of its kind.
    """
    if name == "grounded_sam2":
        detector, segmenter = load_grounding_dino(folders[0], device, dtype), load_segmenter(folders[1], device, dtype)
        return GroundedSam2(detector, segmenter, box_threshold)
    (folder,) = folders
    if name == "sam3":
        check_model_folder(folder, ("sam3",))
        tokenizer = read_tokenizer(folder)
        return Sam3(load_folder(Sam3Model, folder, device), tokenizer, read_normalisation(folder, HALF), dtype)
    return load_clipseg(folder, device, one_region)


def load_published(
    folders: list[Path], device: torch.device, dtype: torch.dtype, box_threshold: float = BOX_THRESHOLD
) -> PublishedGroundedSam2:
    """The published way with real models: folders of GroundingDINO and of SAM2."""
    detector, segmenter = load_grounding_dino(folders[0], device, dtype), load_segmenter(folders[1], device, dtype)

    def find_boxes(image: np.ndarray, caption: str, threshold: float) -> list[tuple]:
        boxes, scores = detector.query_boxes(image, caption)
        return [(*map(float, box), float(score)) for box, score in zip(boxes, scores, strict=True) if score > threshold]

    def segment(image: np.ndarray, corners: np.ndarray) -> np.ndarray:
        return segmenter.small_logits(image, corners, resize_floats=True)[0]

    return PublishedGroundedSam2(find_boxes, segment, box_threshold)


def published_caption(text: str, is_name: bool) -> str:
    """The caption that the published scripts give the detector. A name gets a dot always, an expression if it has none.

    Their detector adds a dot where there is none, too: for "." alone nothing is added.
    """
    caption = text.lower().strip() + ("." if is_name else "")
    caption = caption.strip()
    return caption if caption.endswith(".") else f"{caption}."


def object_of_logits(
    logits: np.ndarray, size: tuple[int, int], score: float, box: tuple[float, float, float, float] | None = None
) -> FoundObject:
    """SAM2's own logits (h, w) of one object -> its masks of `size` = (H, W)."""
    large = enlarge(np.clip(logits, -MOST_LOGIT, MOST_LOGIT)[None], size)[0]
    return FoundObject(large > 0, sigmoid(large), score, box)
