"""One (sample, candidate) pair as the tensors of one training or test item.

Train and test are the same class with different samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import torch
from torch.utils.data import Dataset

from dataset.benchmark.samples import AuditSample, Candidate
from dataset.features.store import FeatureStore
from dataset.media.audio import read_fbank
from dataset.media.pixels import FrameReader, PixelTransform
from dataset.media.waveform import NUM_SEGMENTS
from dataset.text.prompt import PromptEncoder
from dataset.text.wording import build_target
from utils.mask_modes import mask_views
from utils.tokens import AUDIO, IMAGE, MASK, VIDEO

ImageKey = Path | tuple[Path, Path, str]  # a frame, or a frame, a mask and the view of it


class AuditDataset(Dataset):
    """Indexed by (sample index, candidate index); `fixed_pairs` makes it indexable by position, for evaluation."""

    def __init__(
        self,
        samples: Sequence[AuditSample],
        prompts: PromptEncoder,
        frames: FrameReader,
        mask_encode_mode: str,
        fixed_pairs: Sequence[tuple[int, int]] | None = None,
        without: Sequence[str] = (),
    ):
        self.samples, self.prompts, self.frames = samples, prompts, frames
        self.without = frozenset(without)
        self.wordings: Sequence[str] = ("train",)  # which prompts training samples get, in turn
        self.features: FeatureStore | None = None
        self.views = mask_views(mask_encode_mode)
        self.fixed_pairs = fixed_pairs

    def __len__(self) -> int:
        return len(self.samples if self.fixed_pairs is None else self.fixed_pairs)

    def __getitem__(self, index: int | tuple[int, int]) -> dict:
        """`input_ids`, `labels` (L,) int64; `images`: (key, (3, S, S) pixels) each; `clips`: one (key, filter bank).

        The images stand in the order of their placeholders: video, key frame, mask. Equal keys mean equal pixels. The
        filter bank is (10, frames, 128); without audio there is none. With `features` set, what the encoders made of
        them comes instead, as `image_features` and `clip_features`. `sample`, `num_shared` and `num_mask_images` say
        what items of one sample share: the first tokens, and all images but the last; `num_before_frame` and
        `num_video_images`, what those of one clip may share.
        """
        sample_index, candidate_index = self.fixed_pairs[index] if self.fixed_pairs is not None else index
        sample = self.samples[sample_index]
        candidate = sample.candidates[candidate_index]
        video, image, mask = self._frame_keys(sample), self._key_frame_keys(sample), self._mask_keys(sample, candidate)
        clips = self._clip_keys(sample)
        num_items = {VIDEO: len(video), AUDIO: NUM_SEGMENTS * len(clips), IMAGE: len(image), MASK: len(mask)}
        expression = "" if "expression" in self.without else sample.expression
        wording = sample.protocol if sample.protocol != "train" else self.wordings[sample_index % len(self.wordings)]
        text = self.prompts.encode(expression, wording, num_items, self._target(sample, candidate))
        iou = torch.tensor(float("nan") if candidate.audit.iou is None else candidate.audit.iou)
        see, hear, names = self.read_image, self.read_clip, ("images", "clips")
        if self.features is not None:
            see, hear = self.features.images.__getitem__, self.features.clips.__getitem__
            names = ("image_features", "clip_features")
        media = ([(key, see(key)) for key in (*video, *image, *mask)], [(key, hear(key)) for key in clips])
        own = {"sample": sample_index, "num_mask_images": len(mask), "num_video_images": len(video)}
        for name, tokens in (("num_shared", [MASK]), ("num_before_frame", [IMAGE, MASK])):
            ids = self.prompts.tokenizer.convert_tokens_to_ids(tokens)
            own[name] = next(at for at, id_ in enumerate(text["input_ids"].tolist()) if id_ in ids)
        return {**text, **dict(zip(names, media, strict=True)), **own, "iou": iou}

    def image_keys(self) -> Iterator[ImageKey]:
        """The keys of all images that items may show, some of them several times."""
        for sample in self.samples:
            yield from self._frame_keys(sample)
            yield from self._key_frame_keys(sample)
            for candidate in sample.candidates:
                yield from self._mask_keys(sample, candidate)

    def clip_keys(self) -> Iterator[Path]:
        return (key for sample in self.samples for key in self._clip_keys(sample))

    @staticmethod
    def image_sources(key: ImageKey) -> tuple[list[Path], str]:
        """The files that an image is made from, and how."""
        return ([key], "frame") if isinstance(key, Path) else (list(key[:2]), key[2])

    @staticmethod
    def clip_sources(key: Path) -> tuple[list[Path], str]:
        """The file that a clip is made from, and how."""
        return [key], "sound"

    def read_image(self, key: ImageKey) -> torch.Tensor:
        """(3, S, S) pixels of a frame, or of one view of a mask."""
        return self.frames.pixels(key) if isinstance(key, Path) else self.frames.mask_pixels(*key)

    def read_clip(self, path: Path) -> torch.Tensor:
        """(10, frames, 128) filter bank."""
        return _cached_fbank(path)

    def _frame_keys(self, sample: AuditSample) -> tuple[Path, ...]:
        return () if "video" in self.without else sample.video_paths

    def _key_frame_keys(self, sample: AuditSample) -> tuple[Path, ...]:
        return () if "key_frame" in self.without else (sample.frame_path,)

    def _clip_keys(self, sample: AuditSample) -> tuple[Path, ...]:
        return () if "audio" in self.without else (sample.audio_path,)

    def _mask_keys(self, sample: AuditSample, candidate: Candidate) -> list[ImageKey]:
        return [(sample.frame_path, candidate.mask_path, view) for view in self.views]

    def _target(self, sample: AuditSample, candidate: Candidate) -> str | None:
        if sample.protocol != "train":
            return None
        eos = self.prompts.tokenizer.eos_token
        return build_target(candidate.response or "", candidate.audit.iou, self.prompts.iou_estimation, eos)


@lru_cache(8)
def _cached_fbank(path: Path) -> torch.Tensor:
    return read_fbank(path)


def build_dataset(samples, tokenizer, pixel_settings: dict, settings, fixed_pairs=None) -> AuditDataset:
    """The dataset for an auditor's tokenizer, its CLIPImageProcessor settings and its configuration.

    `settings` has num_query_tokens, mask_encode_mode, iou_estimation and without.
    """
    prompts = PromptEncoder(tokenizer, settings.num_query_tokens, settings.iou_estimation)
    size = pixel_settings["size"]["height"]
    transform = PixelTransform(size, tuple(pixel_settings["image_mean"]), tuple(pixel_settings["image_std"]))
    frames = FrameReader(transform)
    return AuditDataset(samples, prompts, frames, settings.mask_encode_mode, fixed_pairs, settings.without)
