"""One (sample, candidate) pair as the tensors of one training or test item.

Train and test are the same class with different samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import torch
from torch.utils.data import Dataset

from dataset.audio import read_fbank
from dataset.media import FrameReader, PixelTransform
from dataset.prompt import PromptEncoder, build_target
from dataset.samples import AuditSample, Candidate
from utils.mask_modes import mask_views
from utils.tokens import AUDIO, IMAGE, MASK, VIDEO


class AuditDataset(Dataset):
    """Indexed by (sample index, candidate index); `fixed_pairs` makes it indexable by position, for evaluation."""

    def __init__(
        self,
        samples: Sequence[AuditSample],
        prompts: PromptEncoder,
        frames: FrameReader,
        mask_encode_mode: str,
        fixed_pairs: Sequence[tuple[int, int]] | None = None,
    ):
        self.samples, self.prompts, self.frames = samples, prompts, frames
        self.views = mask_views(mask_encode_mode)
        self.fixed_pairs = fixed_pairs

    def __len__(self) -> int:
        return len(self.samples if self.fixed_pairs is None else self.fixed_pairs)

    def __getitem__(self, index: int | tuple[int, int]) -> dict:
        """`input_ids`, `labels` (L,) int64; `fbank` (10, frames, 128); `images`: a list of (key, (3, S, S) pixels).

        The images stand in the order of their placeholders: video, key frame, mask. Equal keys mean equal pixels.
        """
        sample_index, candidate_index = self.fixed_pairs[index] if self.fixed_pairs is not None else index
        sample = self.samples[sample_index]
        candidate = sample.candidates[candidate_index]
        fbank = _cached_fbank(sample.audio_path)
        images = [(path, self.frames.pixels(path)) for path in (*sample.video_paths, sample.frame_path)]
        images += [
            ((sample.frame_path, candidate.mask_path, view),
             self.frames.mask_pixels(sample.frame_path, candidate.mask_path, view))
            for view in self.views
        ]  # fmt: skip
        num_items = {VIDEO: len(sample.video_paths), AUDIO: len(fbank), IMAGE: 1, MASK: len(self.views)}
        text = self.prompts.encode(sample.expression, sample.protocol, num_items, self._target(sample, candidate))
        iou = torch.tensor(float("nan") if candidate.iou is None else candidate.iou)
        return {**text, "fbank": (sample.audio_path, fbank), "images": images, "iou": iou}

    def _target(self, sample: AuditSample, candidate: Candidate) -> str | None:
        if sample.protocol != "train":
            return None
        eos = self.prompts.tokenizer.eos_token
        return build_target(candidate.response or "", candidate.iou, self.prompts.iou_estimation, eos)


@lru_cache(8)
def _cached_fbank(path: Path) -> torch.Tensor:
    return read_fbank(path)


def build_dataset(samples, tokenizer, pixel_settings: dict, settings, fixed_pairs=None) -> AuditDataset:
    """The dataset for an auditor's tokenizer, its CLIPImageProcessor settings and its configuration.

    `settings` has num_query_tokens, mask_encode_mode and iou_estimation.
    """
    prompts = PromptEncoder(tokenizer, settings.num_query_tokens, settings.iou_estimation)
    size = pixel_settings["size"]["height"]
    transform = PixelTransform(size, tuple(pixel_settings["image_mean"]), tuple(pixel_settings["image_std"]))
    return AuditDataset(samples, prompts, FrameReader(transform), settings.mask_encode_mode, fixed_pairs)
