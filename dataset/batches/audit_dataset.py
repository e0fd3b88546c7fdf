"""One (sample, candidate) pair as the tensors of one training or test item.

Train and test are the same class with different samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor
from torch.utils.data import Dataset

from dataset.batches.items import AuditItem, ImageKey
from dataset.benchmark.samples import AuditSample, Candidate
from dataset.features.store import FeatureStore
from dataset.media.decoded import FrameReader, decode_fbank
from dataset.media.pixels import PixelTransform
from dataset.media.waveform import NUM_SEGMENTS
from dataset.text.prompt import PromptEncoder
from dataset.text.wording import build_target
from utils.mask_modes import mask_views
from utils.tokens import AUDIO, IMAGE, MASK, VIDEO

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class AuditSettings(Protocol):
    """What decides how an auditor's prompts and media look."""

    num_query_tokens: int
    mask_encode_mode: str
    iou_estimation: str
    without: Sequence[str]


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

    def __getitem__(self, index: int | tuple[int, int]) -> AuditItem:
        """The candidate of a sample."""
        sample_index, candidate_index = self.fixed_pairs[index] if self.fixed_pairs is not None else index
        sample = self.samples[sample_index]
        return self.item(sample, sample.candidates[candidate_index], sample_index)

    def item(self, sample: AuditSample, candidate: Candidate, number: int) -> AuditItem:
        """One candidate of any sample, with what the encoders make of its media where `features` are set.

        Items with the same `number` have to be of the same sample. In training it also chooses the prompt's wording.
        """
        video, frame, masks = self._frame_keys(sample), self._key_frame_keys(sample), self._mask_keys(sample, candidate)
        sounds, num_items = self._sound_keys(sample), self._num_items(sample, candidate)
        text = self._encode(sample, self._wording(sample, number), num_items, self._target(sample, candidate))
        image_of, sound_of = self.read_image, self.read_sound
        if self.features is not None:
            image_of, sound_of = self.features.images.__getitem__, self.features.sounds.__getitem__
        return AuditItem(
            **text,
            iou=torch.tensor(float("nan") if candidate.audit.iou is None else candidate.audit.iou),
            images=[(key, image_of(key)) for key in (*video, *frame, *masks)],
            sounds=[(key, sound_of(key)) for key in sounds],
            encoded=self.features is not None,
            sample=number,
            num_shared=self._first(text["input_ids"], MASK),
            num_mask_images=len(masks),
            num_before_frame=self._first(text["input_ids"], IMAGE, MASK),
            num_video_images=len(video),
        )

    def check_texts(self) -> None:
        """Raises ValueError naming the uids whose words cannot be put into a prompt for this LLM."""
        problems: dict[str, str] = {}
        first = {(sample.uid, sample.protocol): i for i, sample in reversed(list(enumerate(self.samples)))}
        for number in sorted(first.values()):
            sample = self.samples[number]
            for candidate in sample.candidates[:1]:
                try:
                    num_items, target = self._num_items(sample, candidate), self._target(sample, candidate)
                    self._encode(sample, self._wording(sample, number), num_items, target)
                except ValueError as error:
                    problems[sample.uid] = str(error)
        if problems:
            listed = "".join(f"\n  - {uid}: {text}" for uid, text in problems.items())
            raise ValueError(f"{len(problems)} expressions cannot be put into a prompt:{listed}")

    def prompt(self, sample: AuditSample, candidate: Candidate) -> Tensor:
        """(L,) ids of the prompt about a mask of a test sample, as in its item; no media are read."""
        return self._encode(sample, self._wording(sample, 0), self._num_items(sample, candidate), None)["input_ids"]

    def media_of(self, sample: AuditSample) -> tuple[list[Path], list[Path]]:
        """The files of frames and of sounds that are shown with every mask of a sample."""
        frames = [*self._frame_keys(sample), sample.frame_path]  # a mask's views need its frame
        return frames, list(self._sound_keys(sample))

    def _num_items(self, sample: AuditSample, candidate: Candidate) -> dict[str, int]:
        """How many images or seconds stand behind each placeholder."""
        return {
            VIDEO: len(self._frame_keys(sample)),
            AUDIO: NUM_SEGMENTS * len(self._sound_keys(sample)),
            IMAGE: len(self._key_frame_keys(sample)),
            MASK: len(self._mask_keys(sample, candidate)),
        }

    def _encode(self, sample: AuditSample, wording: str, num_items: dict[str, int], target: str | None) -> dict:
        expression = "" if "expression" in self.without else sample.expression
        return self.prompts.encode(expression, wording, num_items, target)

    def _first(self, input_ids: Tensor, *tokens: str) -> int:
        """The first position (L,) at which one of the tokens stands."""
        ids = torch.tensor(self.prompts.tokenizer.convert_tokens_to_ids(list(tokens)))
        return int(torch.isin(input_ids, ids).int().argmax())

    def _wording(self, sample: AuditSample, number: int) -> str:
        """Which prompt a sample gets."""
        return sample.protocol if sample.protocol != "train" else self.wordings[number % len(self.wordings)]

    def image_keys(self) -> Iterator[ImageKey]:
        """The keys of all images that items may show, some of them several times."""
        for sample in self.samples:
            yield from self._frame_keys(sample)
            yield from self._key_frame_keys(sample)
            for candidate in sample.candidates:
                yield from self._mask_keys(sample, candidate)

    def sound_keys(self) -> Iterator[Path]:
        return (key for sample in self.samples for key in self._sound_keys(sample))

    @staticmethod
    def image_sources(key: ImageKey) -> tuple[list[Path], str]:
        """The files that an image is made from, and how."""
        return ([key], "frame") if isinstance(key, Path) else (list(key[:2]), key[2])

    @staticmethod
    def sound_sources(key: Path) -> tuple[list[Path], str]:
        """The file that a sound is made from, and how."""
        return [key], "sound"

    def read_image(self, key: ImageKey) -> Tensor:
        """(3, S, S) pixels of a frame, or of one view of a mask."""
        return self.frames.pixels(key) if isinstance(key, Path) else self.frames.mask_pixels(*key)

    def read_sound(self, path: Path) -> Tensor:
        """(10, frames, 128) filter bank."""
        return decode_fbank(path)

    def _frame_keys(self, sample: AuditSample) -> tuple[Path, ...]:
        return () if "video" in self.without else sample.video_paths

    def _key_frame_keys(self, sample: AuditSample) -> tuple[Path, ...]:
        return () if "key_frame" in self.without else (sample.frame_path,)

    def _sound_keys(self, sample: AuditSample) -> tuple[Path, ...]:
        return () if "audio" in self.without else (sample.audio_path,)

    def _mask_keys(self, sample: AuditSample, candidate: Candidate) -> list[ImageKey]:
        return [(sample.frame_path, candidate.mask_path, view) for view in self.views]

    def _target(self, sample: AuditSample, candidate: Candidate) -> str | None:
        if sample.protocol != "train":
            return None
        eos = self.prompts.tokenizer.eos_token
        return build_target(candidate.response or "", candidate.audit.iou, self.prompts.iou_estimation, eos)


def build_dataset(
    samples: Sequence[AuditSample],
    tokenizer: PreTrainedTokenizerBase,
    pixel_settings: dict,
    settings: AuditSettings,
    fixed_pairs: Sequence[tuple[int, int]] | None = None,
    positions: int | None = None,
) -> AuditDataset:
    """The dataset for an auditor's tokenizer, its CLIPImageProcessor settings and its configuration.

    `positions`: the longest text that its LLM can read. Raises ValueError for words that its tokenizer would read as
    a command, and for too many of them.
    """
    prompts = PromptEncoder(tokenizer, settings.num_query_tokens, settings.iou_estimation, positions)
    frames = frame_reader(pixel_settings)
    dataset = AuditDataset(samples, prompts, frames, settings.mask_encode_mode, fixed_pairs, settings.without)
    dataset.check_texts()
    return dataset


def frame_reader(pixel_settings: dict) -> FrameReader:
    """Reads frames as pixels, by a CLIPImageProcessor's settings."""
    size = pixel_settings["size"]["height"]
    return FrameReader(PixelTransform(size, tuple(pixel_settings["image_mean"]), tuple(pixel_settings["image_std"])))
