"""Several items -> one rectangular batch: left padding, each distinct image and sound once, shared prompts once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from dataset.batches.items import AuditItem
from dataset.batches.rows import distinct, group_by, number_items, pack_row, pad_fields, pad_text
from utils.batches import AuditBatch
from utils.tokens import NOBODY


@dataclass
class AuditCollator:
    """Pads on the left, as published, so that generated tokens follow the prompt directly.

    With `share_prompts`, the masks of one sample stand in one row behind one prompt, up to where the mask comes; they
    do not see each other and each counts its positions as if it were alone.
    """

    pad_token_id: int
    share_prompts: bool = False

    def __call__(self, items: Sequence[AuditItem]) -> AuditBatch:
        """Items, all encoded or none, -> a batch of B rows: one of each item, or one of each sample with its masks."""
        numbered = number_items(items)
        groups = group_by(numbered, lambda item: item.sample) if self.share_prompts else [[one] for one in numbered]
        rows = [pack_row(group) for group in groups]
        images, image_index = distinct([image for row in rows for image in row.images])
        sounds, sound_index = distinct([sound for group in groups for sound in group[0][1].sounds])
        fill = {"position_ids": 0, "weights": 0.0, "iou": float("nan")}
        if self.share_prompts:
            fill["owner"] = NOBODY
        return {
            **pad_text(rows, self.pad_token_id),
            **pad_fields(rows, fill),
            "images": torch.stack(images),
            "image_index": image_index,
            "sounds": sounds,
            "sound_index": sound_index,
            "encoded": items[0].encoded,
        }
