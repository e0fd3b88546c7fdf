"""Masks to be audited -> a batch in which what they have in common stands once.

A root is the beginning of a prompt, which all samples of one clip share: video, audio, and the words around them. A
row goes on from a root: one sample's expression and key frame, then several masks that do not see each other.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import torch

from dataset.batches.items import AuditItem
from dataset.batches.rows import Row, distinct, group_by, number_items, pack_row, pad_fields
from utils.batches import GroupedBatch
from utils.tokens import NOBODY


@dataclass
class GroupingCollator:
    """`masks_per_row`: more are less to read but more to look through at every token."""

    pad_token_id: int
    masks_per_row: int = 16

    def __call__(self, items: Sequence[AuditItem]) -> GroupedBatch:
        """Items, all encoded or none, -> a batch of R roots and B rows, each padded on the left."""
        clips = group_by(number_items(items), _media_of_clip)
        roots, rows, root_index = [], [], []
        for clip in clips:
            samples = group_by(clip, lambda item: item.sample)
            cut = _common_length([sample[0][1] for sample in samples]), clip[0][1].num_video_images
            for sample in samples:
                for start in range(0, len(sample), self.masks_per_row):
                    _, row = pack_row(sample[start : start + self.masks_per_row]).split(*cut)
                    rows.append(row)
                    root_index.append(len(roots))
            root, _ = pack_row(clip[:1]).split(*cut)
            roots.append(root)
        images, image_index = distinct([image for part in (*roots, *rows) for image in part.images])
        sounds, sound_index = distinct([sound for clip in clips for sound in clip[0][1].sounds])
        of_roots = sum(len(root.images) for root in roots)
        return {
            "roots": {**self._pad(roots), "image_index": image_index[:of_roots], "sound_index": sound_index},
            "rows": {**self._pad(rows), "image_index": image_index[of_roots:], "sound_index": sound_index[:0]},
            "root_index": torch.tensor(root_index),
            "images": torch.stack(images),
            "sounds": sounds,
            "encoded": items[0].encoded,
        }

    def _pad(self, parts: Sequence[Row]) -> dict[str, torch.Tensor]:
        return pad_fields(parts, {"input_ids": self.pad_token_id, "owner": NOBODY, "position_ids": 0})


def _media_of_clip(item: AuditItem) -> Hashable:
    """Equal for items with the same video and audio."""
    return tuple(key for key, _ in (*item.images[: item.num_video_images], *item.sounds))


def _common_length(items: Sequence[AuditItem]) -> int:
    """How many first tokens all items have in common, before their key frames."""
    length = min(item.num_before_frame for item in items)
    first = items[0].input_ids[:length]
    for item in items[1:]:
        differs = (item.input_ids[:length] != first[:length]).nonzero()
        length = min([length, *differs[:1, 0].tolist()])
    return length
