"""Pictures -> the normalised tensors that object models read, and autocasting for running them.

All models here share this resizing and normalising. Several of transformers' own image processors are not used
because they need torchvision or scipy.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from utils.settings_files import read_object

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CLIP_MEAN, CLIP_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True)
class Normalisation:
    """Mean and standard deviation of the three channels, for values in [0, 1]."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]


IMAGENET = Normalisation(IMAGENET_MEAN, IMAGENET_STD)
CLIP = Normalisation(CLIP_MEAN, CLIP_STD)


def read_normalisation(folder: str | Path, published: Normalisation) -> Normalisation:
    """Mean and std of the folder's preprocessor_config.json; `published` where the file or the entry is missing.

    Raises ValueError for an entry that is not three numbers (positive ones for the std).
    """
    path = Path(folder) / "preprocessor_config.json"
    content = read_object(path) if path.is_file() else {}
    mean = _three_numbers(path, "image_mean", content.get("image_mean", published.mean))
    std = _three_numbers(path, "image_std", content.get("image_std", published.std))
    if min(std) <= 0:
        raise ValueError(f"{path}: expected an image_std above 0, got {list(std)}")
    return Normalisation(mean, std)


def check_picture(image: np.ndarray) -> tuple[int, int]:
    """Height and width of an RGB picture. Raises ValueError for anything but uint8 (H, W, 3) with pixels in it."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        raise ValueError(f"picture: expected uint8 of shape (H, W, 3), got {image.dtype} of shape {image.shape}")
    return image.shape[:2]


def fit_edges(height: int, width: int, shortest: int, longest: int) -> tuple[int, int]:
    """The largest size (h, w) whose shorter edge is at most `shortest` and whose longer edge is at most `longest`.

    The aspect ratio is kept, except for rounding. Each edge has at least one pixel.
    """
    short, long = sorted((height, width))
    scaled = min(float(shortest), longest * short / long)
    edges = {short: max(1, round(scaled)), long: max(1, int(scaled * long / short))}
    return edges[height], edges[width]


def make_pixel_values(
    image: np.ndarray,
    size: tuple[int, int],
    normalisation: Normalisation,
    resample: Image.Resampling = Image.Resampling.BILINEAR,
) -> Tensor:
    """RGB uint8 (H, W, 3) -> float32 (1, 3, h, w) on the CPU, resized to `size` = (h, w) and normalised."""
    check_picture(image)
    height, width = size
    resized = np.array(Image.fromarray(image).resize((width, height), resample), dtype=np.float32)
    normalised = (resized / 255 - np.float32(normalisation.mean)) / np.float32(normalisation.std)
    return torch.from_numpy(normalised).permute(2, 0, 1)[None].contiguous()


def make_pixel_values_from_floats(image: np.ndarray, size: tuple[int, int], normalisation: Normalisation) -> Tensor:
    """As `make_pixel_values`, divided by 255 before it is resized."""
    check_picture(image)
    values = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
    resized = torch.nn.functional.interpolate(values, size, mode="bilinear", align_corners=False)
    mean, std = (torch.tensor(own).view(1, 3, 1, 1) for own in (normalisation.mean, normalisation.std))
    return (resized - mean) / std


def autocast(device: torch.device, dtype: torch.dtype) -> AbstractContextManager:
    """Run matrix products in `dtype`; the weights stay float32.

    With weights and activations in bfloat16, the corners of boxes would be wrong by several pixels.
    """
    return torch.autocast(device.type, dtype, enabled=dtype != torch.float32)


def _three_numbers(path: Path, name: str, values: object) -> tuple[float, float, float]:
    if not isinstance(values, list | tuple) or [type(v) in (int, float) for v in values] != [True] * 3:
        raise ValueError(f"{path}: expected three numbers as {name}, got {values!r}")
    return tuple(float(value) for value in values)
