"""Masks to be audited -> a batch in which what they have in common stands once.

A root is the beginning of a prompt, which all samples of one clip share: video, audio, and the words around them. A
row goes on from a root: one sample's expression and key frame, then several masks that do not see each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dataset.batches.collator import distinct, left_pad, packed_row
from utils.tokens import EVERYBODY, NOBODY


@dataclass
class GroupingCollator:
    """`masks_per_row`: more are less to read but more to look through at every token."""

    pad_token_id: int
    masks_per_row: int = 16

    def __call__(self, items: list[dict]) -> dict:
        """Items of an `AuditDataset` -> a batch of R roots and B rows.

        `roots`, `rows`: each with input_ids, owner, position_ids (R or B, L), padded on the left; image_index, which
        of the distinct images fills each image slot; clip_index, the same for clips. `root_index` (B,). Owners are
        the numbers of the items, from 1, or EVERYBODY, or NOBODY. pixel_values, fbanks, image_features and
        clip_features as in `AuditCollator`.
        """
        encoded = "image_features" in items[0]
        pictures, sounds = ("image_features", "clip_features") if encoded else ("images", "clips")
        clips: dict[tuple, dict[int, list]] = {}
        for number, item in enumerate(items, start=EVERYBODY + 1):
            samples = clips.setdefault(_clip_key(item, pictures, sounds), {})
            samples.setdefault(item["sample"], []).append((number, item))
        roots, rows, root_index = [], [], []
        for samples in clips.values():
            firsts = [numbered[0][1] for numbered in samples.values()]
            length = _common_length(firsts)
            for numbered in samples.values():
                for start in range(0, len(numbered), self.masks_per_row):
                    root_index.append(len(roots))
                    rows.append(
                        _without_root(
                            packed_row(numbered[start : start + self.masks_per_row], pictures), length, firsts[0]
                        )
                    )
            roots.append(_root(firsts[0], length, pictures))
        images, image_index = distinct([image for part in (*roots, *rows) for image in part["images"]])
        heard, clip_index = distinct(
            [clip for samples in clips.values() for clip in next(iter(samples.values()))[0][1][sounds]]
        )
        of_roots = sum(len(root["images"]) for root in roots)
        return {
            "roots": self._padded(roots) | {"image_index": image_index[:of_roots], "clip_index": clip_index},
            "rows": self._padded(rows) | {"image_index": image_index[of_roots:], "clip_index": clip_index[:0]},
            "root_index": torch.tensor(root_index),
            "image_features" if encoded else "pixel_values": torch.stack(images),
            "clip_features" if encoded else "fbanks": heard,
        }

    def _padded(self, parts: list[dict]) -> dict[str, Tensor]:
        longest = max(len(part["input_ids"]) for part in parts)
        fill = {"input_ids": self.pad_token_id, "owner": NOBODY, "position_ids": 0}
        return {
            name: torch.stack([left_pad(part[name], longest, value) for part in parts]) for name, value in fill.items()
        }


def _clip_key(item: dict, pictures: str, sounds: str) -> tuple:
    """Equal for items with the same video and audio."""
    return *(key for key, _ in item[pictures][: item["num_video_images"]]), *(key for key, _ in item[sounds])


def _common_length(items: Sequence[dict]) -> int:
    """How many first tokens all items have in common, before their key frames."""
    length = min(item["num_before_frame"] for item in items)
    first = items[0]["input_ids"][:length]
    for item in items[1:]:
        differs = (item["input_ids"][:length] != first).nonzero()
        length = min([length, *differs[:1, 0].tolist()])
    return length


def _root(item: dict, length: int, pictures: str) -> dict:
    return {
        "input_ids": item["input_ids"][:length],
        "owner": torch.full((length,), EVERYBODY),
        "position_ids": torch.arange(length),
        "images": item[pictures][: item["num_video_images"]],
    }


def _without_root(row: dict, length: int, item: dict) -> dict:
    return {
        "input_ids": row["input_ids"][length:],
        "owner": row["owner"][length:],
        "position_ids": row["positions"][length:],
        "images": row["images"][item["num_video_images"] :],
    }
