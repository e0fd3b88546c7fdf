"""One caption as the tensors of one item of pretraining, and several of them as a batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from dataset.batches.items import CaptionItem
from dataset.batches.rows import pad_text
from dataset.media.audio import read_seconds
from dataset.media.images import read_frame
from dataset.media.pixels import PixelTransform
from dataset.media.video import decode
from dataset.text.captions import Caption
from dataset.text.prompt import PromptEncoder
from utils.batches import CaptionBatch

VIDEO_FRAMES = 8
MAX_VIDEO_SECONDS = 1800


class CaptionDataset(Dataset):
    """Captions of one modality: images and videos, or sounds. `transform` is for the first.

    Raises ValueError naming a caption that the tokenizer would read as a command.
    """

    def __init__(self, captions: Sequence[Caption], prompts: PromptEncoder, transform: PixelTransform | None = None):
        self.captions, self.prompts, self.transform = captions, prompts, transform
        self.features: dict[Path, Tensor] | None = None
        for caption in captions:
            for what in ("question", "answer"):
                prompts.check(getattr(caption, what), f"caption of {caption.path}: {what}")

    def __len__(self) -> int:
        return len(self.captions)

    def __getitem__(self, index: int) -> CaptionItem:
        """The caption, with what the encoder makes of its media where `features` are set."""
        caption = self.captions[index]
        shown = self.read(caption) if self.features is None else self.features[caption.path]
        text = self.prompts.encode_caption(caption.medium, len(shown), caption.question, caption.answer)
        return CaptionItem(**text, media=shown, encoded=self.features is not None)

    def read(self, caption: Caption) -> Tensor:
        """Pictures (n, 3, S, S) or seconds (n, 98, 128)."""
        if caption.medium == "audio":
            return read_seconds(caption.path)
        pictures = [read_frame(caption.path)] if caption.medium == "image" else spread_frames(caption.path)
        return torch.stack([self.transform(picture) for picture in pictures])


class CaptionCollator:
    """Pads on the left; the media of all items stand one after the other."""

    def __init__(self, pad_token_id: int):
        self.pad_token_id = pad_token_id

    def __call__(self, items: Sequence[CaptionItem]) -> CaptionBatch:
        """Items, all encoded or none, -> a batch of B rows."""
        media = torch.cat([item.media for item in items])
        return {**pad_text(items, self.pad_token_id), "media": media, "encoded": items[0].encoded}


def spread_frames(path: Path, count: int = VIDEO_FRAMES) -> list[np.ndarray]:
    """So many frames of a video, (H, W, 3) uint8 each, taken evenly from its first to its last one.

    Raises FileNotFoundError, and ValueError for a file that is no video or longer than MAX_VIDEO_SECONDS.
    """
    total = sum(1 for _ in _bounded(path))
    wanted = np.linspace(0, total - 1, count).astype(int).tolist()
    found = {i: frame.to_ndarray(format="rgb24") for i, frame in enumerate(_bounded(path)) if i in set(wanted)}
    return [found[i] for i in wanted]


def _bounded(path: Path) -> Iterator[av.VideoFrame]:
    for time, _, frame in decode(path, "video"):
        if time > MAX_VIDEO_SECONDS:
            raise ValueError(f"{path}: expected a video of at most {MAX_VIDEO_SECONDS} s, got a longer one")
        yield frame
