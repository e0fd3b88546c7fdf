"""A tensor answerer for a notebook: the clip of the last requests is likely to come again and is not encoded again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from dataset.batches.items import AuditItem
from models.auditor.auditor import Auditor
from scripts.answering.answerer import AuditRequest
from scripts.answering.tensor_answerer import TensorAnswerer, number_samples
from utils.batches import GroupedBatch, PromptBatch

MOST_IMAGES, MOST_SOUNDS = 64, 8  # whose features are kept


class RecentFeatures:
    """Encodes the media of items, and keeps what came last on the auditor's device: frames and sounds, no masks."""

    def __init__(self, auditor: Auditor):
        self.auditor = auditor
        self.images: OrderedDict[object, Tensor] = OrderedDict()
        self.sounds: OrderedDict[object, Tensor] = OrderedDict()

    def encode(self, items: Sequence[AuditItem]) -> list[AuditItem]:
        """Items of pixels and filter banks -> items of features."""
        images = _completed(self.images, [one for item in items for one in item.images], self._see, MOST_IMAGES)
        sounds = _completed(self.sounds, [one for item in items for one in item.sounds], self._hear, MOST_SOUNDS)
        return [
            replace(
                item,
                images=[(key, images[key]) for key, _ in item.images],
                sounds=[(key, sounds[key]) for key, _ in item.sounds],
                encoded=True,
            )
            for item in items
        ]

    def forget(self) -> None:
        """Keep nothing, because files have changed."""
        self.images.clear()
        self.sounds.clear()

    def _see(self, pixels: list[Tensor]) -> list[Tensor]:
        return list(self.auditor.encode_images(torch.stack(pixels).to(self.auditor.device)))

    def _hear(self, fbanks: list[Tensor]) -> list[Tensor]:
        return self.auditor.encode_sounds([fbank.to(self.auditor.device) for fbank in fbanks])


def _completed(
    kept: OrderedDict[object, Tensor], wanted: list[tuple[object, Tensor]], encode: Callable, most: int
) -> dict[object, Tensor]:
    """The features of all `wanted` keys; those of files are `kept` for the next time, the `most` that came last."""
    new = {key: tensor for key, tensor in wanted if key not in kept}
    found = dict(zip(new, encode(list(new.values())), strict=True)) if new else {}
    found |= {key: kept[key] for key, _ in wanted if key in kept}
    for key, features in found.items():
        if isinstance(key, Path):
            kept[key] = features
            kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)
    return found


class SessionAnswerer(TensorAnswerer):
    """Reads media in this process and in the moment that they are needed; answers as a TensorAnswerer."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.recent = RecentFeatures(self.auditor)

    def look_ahead(self, batches: Iterable[list[AuditRequest]]) -> Iterable[list[AuditRequest]]:
        """The same batches; nothing is read ahead."""
        return batches

    def batch_of(self, requests: Sequence[AuditRequest]) -> PromptBatch | GroupedBatch:
        """Collated, with features in place of media."""
        return self.collator(self.recent.encode([self.items[one] for one in number_samples(requests)]))
