"""Rows of a batch: several masks behind one prompt, padding on the left, and each distinct image once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dataset.batches.items import AuditItem, CaptionItem, ImageKey
from utils.tokens import EVERYBODY, IGNORE_INDEX

Numbered = tuple[int, AuditItem]  # the number of an item in its batch, from 1, and the item


def number_items(items: Sequence[AuditItem]) -> list[Numbered]:
    """The items with their numbers, which say whom a position of a row belongs to."""
    return list(enumerate(items, start=EVERYBODY + 1))


def group_by(numbered: Sequence[Numbered], key: Callable[[AuditItem], Hashable]) -> list[list[Numbered]]:
    """The items of equal key together, groups in order of first appearance."""
    groups: dict[Hashable, list[Numbered]] = {}
    for number, item in numbered:
        groups.setdefault(key(item), []).append((number, item))
    return list(groups.values())


@dataclass(frozen=True)
class Row:
    """A shared prompt, then what is each mask's own; tensors (L,), images in reading order, each with its key.

    owner: the number of the mask that a position belongs to, or EVERYBODY. position_ids: each mask counts as if it
    stood behind the prompt alone. weights: of the labels in the loss. iou: of the mask that a position belongs to, NaN
    in the prompt.
    """

    input_ids: Tensor
    labels: Tensor
    weights: Tensor
    owner: Tensor
    position_ids: Tensor
    iou: Tensor
    images: list[tuple[ImageKey, Tensor]]

    def split(self, length: int, num_images: int) -> tuple[Row, Row]:
        """The first `length` positions with their `num_images` images, and the rest."""
        names = ("input_ids", "labels", "weights", "owner", "position_ids", "iou")
        parts = []
        for positions, images in (
            (slice(length), self.images[:num_images]),
            (slice(length, None), self.images[num_images:]),
        ):
            parts.append(Row(**{name: getattr(self, name)[positions] for name in names}, images=images))
        return parts[0], parts[1]


def pack_row(group: Sequence[Numbered]) -> Row:
    """Items of one sample as one row."""
    first = group[0][1]
    shared = first.num_shared
    input_ids, labels, weights = [first.input_ids[:shared]], [first.labels[:shared]], [first.weights[:shared]]
    owner, position_ids = [torch.full((shared,), EVERYBODY)], [torch.arange(shared)]
    iou = [first.iou.new_full((shared,), float("nan"))]
    images = first.images[: len(first.images) - first.num_mask_images]
    for number, item in group:
        own = len(item.input_ids) - shared
        input_ids.append(item.input_ids[shared:])
        labels.append(item.labels[shared:])
        weights.append(item.weights[shared:])
        owner.append(torch.full((own,), number))
        position_ids.append(torch.arange(shared, shared + own))
        iou.append(item.iou.expand(own))
        images = images + item.images[len(item.images) - item.num_mask_images :]
    return Row(*map(torch.cat, (input_ids, labels, weights, owner, position_ids, iou)), images)


def pad_text(rows: Sequence[Row | AuditItem | CaptionItem], pad_token_id: int) -> dict[str, Tensor]:
    """`input_ids` and `labels` of B rows as (B, L), filled up on the left, with attention_mask and position_ids."""
    lengths = [len(row.input_ids) for row in rows]
    attention_mask = torch.stack([left_pad(torch.ones(own, dtype=torch.long), max(lengths), 0) for own in lengths])
    return {
        **pad_fields(rows, {"input_ids": pad_token_id, "labels": IGNORE_INDEX}),
        "attention_mask": attention_mask,
        "position_ids": (attention_mask.cumsum(-1) - 1).clamp(min=0),
    }


def pad_fields(rows: Sequence[Row | AuditItem | CaptionItem], fill: dict[str, float]) -> dict[str, Tensor]:
    """The fields named in `fill`, (L,) of each of B rows, as (B, longest L), filled up on the left with its values."""
    longest = max(len(row.input_ids) for row in rows)
    return {
        name: torch.stack([left_pad(getattr(row, name), longest, value) for row in rows])
        for name, value in fill.items()
    }


def left_pad(row: Tensor, length: int, value: float) -> Tensor:
    """(L,) -> (length,)."""
    return torch.nn.functional.pad(row, (length - len(row), 0), value=value)


def distinct(keyed: Sequence[tuple[Hashable, Tensor]]) -> tuple[list[Tensor], Tensor]:
    """(key, tensor) pairs -> the distinct tensors in order of first use, and the index of each pair's tensor."""
    number: dict[Hashable, int] = {}
    tensors: list[Tensor] = []
    for key, tensor in keyed:
        if key not in number:
            number[key] = len(tensors)
            tensors.append(tensor)
    return tensors, torch.tensor([number[key] for key, _ in keyed], dtype=torch.long)
