"""What datasets give: one mask to audit, one expression to think about, or one caption to learn, as tensors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

ImageKey = Path | tuple[Path, Path, str]  # a frame, or a frame, a mask and the view of it


@dataclass(frozen=True)
class AuditItem:
    """A prompt of L tokens, its answer in training, and the media of its placeholders. Ref-Thinker has no mask.

    input_ids, labels: (L,) int64. weights: (L,), of the labels in the loss. iou: (), NaN where it is unknown.

    images: (key, (3, S, S) pixels) each, in the order of their placeholders: video, key frame, mask. sounds: one (key,
    (10, frames, 128) filter bank), or none. Where `encoded`, media are features of the encoders: (N, E) of an image,
    (10, n, E) of a sound. Equal keys mean equal media.

    sample: the number of the sample. Items of one sample share their first `num_shared` tokens, and all images but the
    last `num_mask_images`. Items of one clip may share their first `num_before_frame` tokens and their first
    `num_video_images` images.
    """

    input_ids: Tensor
    labels: Tensor
    weights: Tensor
    iou: Tensor
    images: list[tuple[ImageKey, Tensor]]
    sounds: list[tuple[Path, Tensor]]
    encoded: bool
    sample: int
    num_shared: int
    num_mask_images: int
    num_before_frame: int
    num_video_images: int


@dataclass(frozen=True)
class CaptionItem:
    """A caption and what it describes.

    input_ids, labels: (L,) int64. media: pictures (n, 3, S, S) or seconds (n, 98, 128), or where `encoded`, what the
    encoder made of them, (n, N, E).
    """

    input_ids: Tensor
    labels: Tensor
    media: Tensor
    encoded: bool
