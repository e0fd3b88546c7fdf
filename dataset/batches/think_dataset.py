"""One expression to think about as the tensors of one training or test item."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.utils.data import Dataset

from dataset.batches.audit_dataset import frame_reader
from dataset.batches.items import AuditItem
from dataset.features.store import FeatureStore
from dataset.media.decoded import FrameReader, decode_fbank
from dataset.media.waveform import NUM_SEGMENTS
from dataset.referring.thinking import ThinkSample
from dataset.text.prompt import PromptEncoder
from utils.tokens import AUDIO, IGNORE_INDEX, VIDEO

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class ThinkDataset(Dataset):
    """Indexed by position. Items are like those of audits, without a mask."""

    def __init__(self, samples: Sequence[ThinkSample], prompts: PromptEncoder, frames: FrameReader):
        self.samples, self.prompts, self.frames = samples, prompts, frames
        self.test_wording_every = 0  # of training samples, each n-th gets the prompt of tests; 0: none
        self.features: FeatureStore | None = None

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> AuditItem:
        return self.item(self.samples[index], None, index)

    def item(self, sample: ThinkSample, _: None, number: int) -> AuditItem:
        """One expression, with what the encoders make of its media where `features` are set."""
        text = self._encode(sample, number)
        image_of, sound_of = self.read_image, self.read_sound
        if self.features is not None:
            image_of, sound_of = self.features.images.__getitem__, self.features.sounds.__getitem__
        num_prompt = int((text["labels"] == IGNORE_INDEX).sum())
        return AuditItem(
            **text,
            iou=torch.tensor(float("nan")),
            images=[(key, image_of(key)) for key in sample.video_paths],
            sounds=[(sample.audio_path, sound_of(sample.audio_path))],
            encoded=self.features is not None,
            sample=number,
            num_shared=num_prompt - 1,
            num_mask_images=0,
            num_before_frame=num_prompt - 1,
            num_video_images=len(sample.video_paths),
        )

    def check_texts(self) -> None:
        """Raises ValueError naming the uids whose words cannot be put into a prompt for this LLM."""
        problems = {}
        for number, sample in enumerate(self.samples):
            try:
                self._encode(sample, number)
            except ValueError as error:
                problems[sample.expression.key] = str(error)
        if problems:
            listed = "".join(f"\n  - {key}: {text}" for key, text in problems.items())
            raise ValueError(f"{len(problems)} expressions cannot be put into a prompt:{listed}")

    def _encode(self, sample: ThinkSample, number: int) -> dict[str, Tensor]:
        num_items = {VIDEO: len(sample.video_paths), AUDIO: NUM_SEGMENTS}
        is_train, every = sample.answer is not None, self.test_wording_every
        with_train_words = is_train and not (every and number % every == every - 1)
        target = sample.answer + self.prompts.tokenizer.eos_token if is_train else None
        return self.prompts.encode_thought(sample.expression.text, with_train_words, num_items, target)

    def image_keys(self) -> Iterator[Path]:
        return (path for sample in self.samples for path in sample.video_paths)

    def sound_keys(self) -> Iterator[Path]:
        return (sample.audio_path for sample in self.samples)

    def read_image(self, path: Path) -> Tensor:
        """(3, S, S) pixels of a frame."""
        return self.frames.pixels(path)

    def read_sound(self, path: Path) -> Tensor:
        """(10, frames, 128) filter bank."""
        return decode_fbank(path)


def build_think_dataset(
    samples: Sequence[ThinkSample],
    tokenizer: PreTrainedTokenizerBase,
    pixel_settings: dict,
    num_query_tokens: int,
    positions: int | None = None,
) -> ThinkDataset:
    """The dataset for a thinker's tokenizer, its CLIPImageProcessor settings and its number of query tokens.

    `positions`: the longest text that its LLM can read. Raises ValueError for words that its tokenizer would read as
    a command, and for too many of them.
    """
    prompts = PromptEncoder(tokenizer, num_query_tokens, positions=positions)
    dataset = ThinkDataset(samples, prompts, frame_reader(pixel_settings))
    dataset.check_texts()
    return dataset
