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
        by sample in prompt order; fbanks, a list of the distinct clips (10, frames, 128); clip_index (B,); iou (B,).
        """
        longest = max(len(item["input_ids"]) for item in items)
        attention_mask = torch.stack([_left_pad(torch.ones_like(i["input_ids"]), longest, 0) for i in items])
        pixel_values, image_index = _distinct([image for item in items for image in item["images"]])
        fbanks, clip_index = _distinct([item["fbank"] for item in items])
        return {
            "input_ids": torch.stack([_left_pad(i["input_ids"], longest, self.pad_token_id) for i in items]),
            "attention_mask": attention_mask,
            "position_ids": (attention_mask.cumsum(-1) - 1).clamp(min=0),
            "labels": torch.stack([_left_pad(i["labels"], longest, IGNORE_INDEX) for i in items]),
            "pixel_values": torch.stack(pixel_values),
            "image_index": image_index,
            "fbanks": fbanks,
            "clip_index": clip_index,
            "iou": torch.stack([item["iou"] for item in items]),
        }


def _left_pad(row: torch.Tensor, length: int, value: int) -> torch.Tensor:
    return torch.nn.functional.pad(row, (length - len(row), 0), value=value)


def _distinct(keyed: list[tuple]) -> tuple[list[torch.Tensor], torch.Tensor]:
    """(key, tensor) pairs -> the distinct tensors in order of first use, and the index of each pair's tensor."""
    position = {key: i for i, key in enumerate(dict.fromkeys(key for key, _ in keyed))}
    tensors = dict(reversed(keyed))
    return [tensors[key] for key in position], torch.tensor([position[key] for key, _ in keyed])
