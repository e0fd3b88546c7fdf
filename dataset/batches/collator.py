"""Several items -> one rectangular batch: left padding, each distinct image and clip once, shared prompts once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from utils.tokens import EVERYBODY, IGNORE_INDEX, NOBODY


@dataclass
class AuditCollator:
    """Pads on the left, as published, so that generated tokens follow the prompt directly.

    With `share_prompts`, the masks of one sample stand in one row behind one prompt, up to where the mask comes; they
    do not see each other and each counts its positions as if it were alone.
    """

    pad_token_id: int
    share_prompts: bool = False

    def __call__(self, items: list[dict]) -> dict:
        """Items -> a batch of B rows.

        input_ids, labels (B, L) int64; attention_mask (B, L) int64, 0 on padding; position_ids (B, L), 0 on padding;
        pixel_values (U, 3, S, S), the distinct images; image_index (S,), which of them fills each image slot, row by
        row in prompt order; fbanks, a list of the distinct clips (10, frames, 128); clip_index (B,), or (0,) without
        audio; iou (B, L), of the mask that a position belongs to. Items with features give image_features (U, N, E)
        and clip_features, a list of (10, n, E), in their place. Where prompts are shared, owner (B, L): the number of
        the item, from 1, or EVERYBODY, or NOBODY.
        """
        encoded = "image_features" in items[0]
        pictures, sounds = ("image_features", "clip_features") if encoded else ("images", "clips")
        numbered = list(enumerate(items, start=EVERYBODY + 1))
        groups = _of_one_sample(numbered) if self.share_prompts else [[pair] for pair in numbered]
        rows = [packed_row(group, pictures) for group in groups]
        groups = [[item for _, item in group] for group in groups]
        images, image_index = distinct([image for row in rows for image in row["images"]])
        clips, clip_index = distinct([clip for group in groups for clip in group[0][sounds]])
        text = pad_rows(rows, self.pad_token_id)
        longest = text["input_ids"].shape[1]
        if self.share_prompts:
            text["owner"] = torch.stack([left_pad(row["owner"], longest, NOBODY) for row in rows])
            text["position_ids"] = torch.stack([left_pad(row["positions"], longest, 0) for row in rows])
        return {
            **text,
            "image_features" if encoded else "pixel_values": torch.stack(images),
            "image_index": image_index,
            "clip_features" if encoded else "fbanks": clips,
            "clip_index": clip_index,
            "iou": torch.stack([left_pad(row["iou"], longest, float("nan")) for row in rows]),
        }


def _of_one_sample(numbered: list[tuple[int, dict]]) -> list[list[tuple[int, dict]]]:
    """The items of equal `sample`, in order of first appearance."""
    groups: dict[int, list[tuple[int, dict]]] = {}
    for number, item in numbered:
        groups.setdefault(item["sample"], []).append((number, item))
    return list(groups.values())


def packed_row(numbered: Sequence[tuple[int, dict]], pictures: str) -> dict:
    """The shared prompt of the first item, then what is each item's own; tensors (L,), images in reading order."""
    group = [item for _, item in numbered]
    first, shared = group[0], group[0]["num_shared"]
    own_images = [item[pictures][-item["num_mask_images"] :] for item in group]

    def joined(name: str) -> Tensor:
        return torch.cat([first[name][:shared], *(item[name][shared:] for item in group)])

    lengths = [len(item["input_ids"]) - shared for item in group]
    owners = [torch.full((length,), number) for (number, _), length in zip(numbered, lengths, strict=True)]
    ious = [item["iou"].expand(length) for item, length in zip(group, lengths, strict=True)]
    return {
        "input_ids": joined("input_ids"),
        "labels": joined("labels"),
        "owner": torch.cat([torch.full((shared,), EVERYBODY), *owners]),
        "positions": torch.cat([torch.arange(shared), *(torch.arange(shared, shared + length) for length in lengths)]),
        "iou": torch.cat([first["iou"].new_full((shared,), float("nan")), *ious]),
        "images": [*first[pictures][: -first["num_mask_images"]], *(image for own in own_images for image in own)],
    }


def pad_rows(items: list[dict], pad_token_id: int) -> dict:
    """`input_ids` and `labels` of B items as (B, L), filled up on the left, with attention_mask and position_ids."""
    longest = max(len(item["input_ids"]) for item in items)
    attention_mask = torch.stack([left_pad(torch.ones_like(i["input_ids"]), longest, 0) for i in items])
    return {
        "input_ids": torch.stack([left_pad(i["input_ids"], longest, pad_token_id) for i in items]),
        "attention_mask": attention_mask,
        "position_ids": (attention_mask.cumsum(-1) - 1).clamp(min=0),
        "labels": torch.stack([left_pad(i["labels"], longest, IGNORE_INDEX) for i in items]),
    }


def left_pad(row: Tensor, length: int, value: float) -> Tensor:
    """(L,) -> (length,)."""
    return torch.nn.functional.pad(row, (length - len(row), 0), value=value)


def distinct(keyed: list[tuple]) -> tuple[list[Tensor], Tensor]:
    """(key, tensor) pairs -> the distinct tensors in order of first use, and the index of each pair's tensor."""
    position = {key: i for i, key in enumerate(dict.fromkeys(key for key, _ in keyed))}
    tensors = dict(reversed(keyed))
    index = torch.tensor([position[key] for key, _ in keyed], dtype=torch.long)
    return [tensors[key] for key in position], index
