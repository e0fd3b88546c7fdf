"""Several items -> one rectangular batch: left padding, and each distinct image and clip once."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from utils.tokens import IGNORE_INDEX


@dataclass
class AuditCollator:
    """Pads on the left, as published, so that generated tokens follow the prompt directly."""

    pad_token_id: int

    def __call__(self, items: list[dict]) -> dict:
        """B items -> a batch.

        input_ids, labels (B, L) int64; attention_mask (B, L) int64, 0 on padding; position_ids (B, L), 0 on padding;
        pixel_values (U, 3, S, S), the distinct images; image_index (S,), which of them fills each image slot, sample
        by sample in prompt order; fbanks, a list of the distinct clips (10, frames, 128); clip_index (B,), or (0,)
        without audio; iou (B,).
        Items with features give image_features (U, N, E) and clip_features, a list of (10, n, E), in their place.
        """
        encoded = "image_features" in items[0]
        pictures, sounds = ("image_features", "clip_features") if encoded else ("images", "clips")
        images, image_index = _distinct([image for item in items for image in item[pictures]])
        clips, clip_index = _distinct([clip for item in items for clip in item[sounds]])
        return {
            **pad_rows(items, self.pad_token_id),
            "image_features" if encoded else "pixel_values": torch.stack(images),
            "image_index": image_index,
            "clip_features" if encoded else "fbanks": clips,
            "clip_index": clip_index,
            "iou": torch.stack([item["iou"] for item in items]),
        }


def pad_rows(items: list[dict], pad_token_id: int) -> dict:
    """`input_ids` and `labels` of B items as (B, L), filled up on the left, with attention_mask and position_ids."""
    longest = max(len(item["input_ids"]) for item in items)
    attention_mask = torch.stack([_left_pad(torch.ones_like(i["input_ids"]), longest, 0) for i in items])
    return {
        "input_ids": torch.stack([_left_pad(i["input_ids"], longest, pad_token_id) for i in items]),
        "attention_mask": attention_mask,
        "position_ids": (attention_mask.cumsum(-1) - 1).clamp(min=0),
        "labels": torch.stack([_left_pad(i["labels"], longest, IGNORE_INDEX) for i in items]),
    }


def _left_pad(row: torch.Tensor, length: int, value: int) -> torch.Tensor:
    return torch.nn.functional.pad(row, (length - len(row), 0), value=value)


def _distinct(keyed: list[tuple]) -> tuple[list[torch.Tensor], torch.Tensor]:
    """(key, tensor) pairs -> the distinct tensors in order of first use, and the index of each pair's tensor."""
    position = {key: i for i, key in enumerate(dict.fromkeys(key for key, _ in keyed))}
    tensors = dict(reversed(keyed))
    index = torch.tensor([position[key] for key, _ in keyed], dtype=torch.long)
    return [tensors[key] for key in position], index
