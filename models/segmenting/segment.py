"""SAM2: boxes in a picture, or a mask to be made better -> masks of the picture's size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import PreTrainedModel, Sam2Config, Sam2Model

from models.segmenting.folders import check_model_folder, load_folder
from models.segmenting.pictures import (
    IMAGENET,
    Normalisation,
    autocast,
    check_picture,
    make_pixel_values,
    make_pixel_values_from_floats,
    read_normalisation,
)

MASK_SCALE, MASK_BIAS = 20.0, -10.0  # SAM2's own logits of a mask that is given
MODEL_TYPES = ("sam2", "sam2_video")  # published folders have the video type; the image model is a part of it


class Segmenter:
    """Makes one mask for each box, or a better one of a mask."""

    def __init__(self, model: PreTrainedModel, normalisation: Normalisation, dtype: torch.dtype = torch.float32):
        self.model = model
        self.normalisation = normalisation
        self.dtype = dtype
        self.image_size = model.config.prompt_encoder_config.image_size

    def __call__(self, image: np.ndarray, boxes: Sequence[Sequence[float]]) -> np.ndarray:
        """RGB uint8 (H, W, 3) and N boxes x1, y1, x2, y2 in its pixels -> masks (N, H, W) bool, in their order.

        The picture is encoded once for all boxes. Raises ValueError for a box that is not four finite numbers.
        """
        height, width = check_picture(image)
        if len(boxes) == 0:
            return np.zeros((0, height, width), dtype=bool)
        return enlarge(self.small_logits(image, boxes), (height, width)) > 0

    @torch.inference_mode()
    def small_logits(
        self, image: np.ndarray, boxes: Sequence[Sequence[float]], resize_floats: bool = False
    ) -> np.ndarray:
        """As calling, with the model's own logits (N, h, w) float32 instead of masks. `resize_floats`: as published,
        the picture is divided by 255 before it is resized, which differs by up to half a grey level.
        """
        height, width = check_picture(image)
        input_boxes = scale_boxes(boxes, height, width, self.image_size).to(self.model.device)
        size = (self.image_size, self.image_size)  # the aspect ratio is not kept
        make = make_pixel_values_from_floats if resize_floats else make_pixel_values
        pixel_values = make(image, size, self.normalisation).to(self.model.device)
        with autocast(self.model.device, self.dtype):
            outputs = self.model(pixel_values=pixel_values, input_boxes=input_boxes, multimask_output=False)
        return outputs.pred_masks[0, :, 0].float().cpu().numpy()

    @torch.inference_mode()
    def refine(self, image: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """RGB uint8 (H, W, 3) and a mask of an object in it (H, W) bool, not empty -> SAM2's mask of the object.

        The mask is its prompt, as logits of the size that the prompt encoder reads; no box or point is given.
        """
        size = check_picture(image)
        pixel_values = make_pixel_values(image, (self.image_size, self.image_size), self.normalisation)
        dense = torch.from_numpy(mask)[None, None].float()
        dense = F.interpolate(dense, self.model.prompt_encoder.mask_input_size, mode="bilinear", antialias=True)
        input_masks = (dense * MASK_SCALE + MASK_BIAS).to(self.model.device)
        with autocast(self.model.device, self.dtype):
            outputs = self.model(
                pixel_values=pixel_values.to(self.model.device), input_masks=input_masks, multimask_output=False
            )
        return enlarge(outputs.pred_masks[0, :, 0].float().cpu().numpy(), size)[0] > 0


def scale_boxes(boxes: Sequence[Sequence[float]], height: int, width: int, side: int) -> Tensor:
    """Boxes in pixels of the picture -> (1, N, 4) in pixels of the model's input, a square of `side` pixels.

    Raises ValueError for a box that is not four finite numbers.
    """
    corners = np.asarray(boxes, dtype=np.float32)
    if corners.ndim != 2 or corners.shape[1] != 4 or not np.isfinite(corners).all():
        raise ValueError(f"SAM2: expected boxes of four finite numbers x1, y1, x2, y2, got {boxes!r}")
    return torch.from_numpy(corners * np.float32([side / width, side / height] * 2))[None]


def enlarge(logits: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(N, h, w) float32 -> (N, H, W), bilinear; `size` = (H, W)."""
    return F.interpolate(torch.from_numpy(logits)[:, None], size, mode="bilinear", align_corners=False)[:, 0].numpy()


def load_segmenter(
    folder: str | Path, device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32
) -> Segmenter:
    """The SAM2 model in a transformers folder; matrix products run in `dtype`.

    Raises FileNotFoundError or ValueError, naming the folder, when it holds no such model.
    """
    check_model_folder(folder, MODEL_TYPES)
    model = load_folder(Sam2Model, folder, device, config_class=Sam2Config)
    return Segmenter(model, read_normalisation(folder, IMAGENET), dtype)
