"""Names of the tensors in a batch: collators write them, models read them.

Shapes: B rows, L positions, U distinct images, S image slots, C distinct sounds of 10 seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NotRequired, TypedDict

if TYPE_CHECKING:
    from torch import Tensor


class Media(TypedDict):
    """Each distinct image and sound of a batch once.

    images: pixels (U, 3, S, S), or features (U, N, E) of the vision encoder. sounds: a filter bank (10, frames, 128)
    each, or features (10, n, E) of the audio encoder each. encoded: whether they are features.
    """

    images: Tensor
    sounds: list[Tensor]
    encoded: bool


class Slots(TypedDict):
    """Which media fill the placeholders of a text, row by row, in the order of the text.

    input_ids (B, L). image_index (S,): the number of the image in each slot. sound_index (B,): the number of each
    row's sound; (0,) where the text has no place for sound.
    """

    input_ids: Tensor
    image_index: Tensor
    sound_index: Tensor


class PromptBatch(Media, Slots):
    """Rows that are padded on the left: attention_mask and position_ids (B, L), both 0 on padding.

    owner (B, L), only where masks share prompts: the number of the mask that a position belongs to, from 1, or
    EVERYBODY, or NOBODY (see `utils.tokens`).
    """

    attention_mask: Tensor
    position_ids: Tensor
    owner: NotRequired[Tensor]


class AuditBatch(PromptBatch):
    """Prompts with their answers: labels (B, L), -100 where nothing is learned; weights (B, L) of labels in the loss.

    iou (B, L) float: that of the mask that a position belongs to, NaN where it is unknown.
    """

    labels: Tensor
    weights: Tensor
    iou: Tensor


class PromptPart(Slots):
    """Some consecutive positions of rows, padded on the left: owner and position_ids (B, L) as in `PromptBatch`."""

    owner: Tensor
    position_ids: Tensor


class GroupedBatch(Media):
    """Beginnings of prompts, R `roots`, and B `rows` that go on from them; root_index (B,): which root a row has."""

    roots: PromptPart
    rows: PromptPart
    root_index: Tensor


class CaptionBatch(TypedDict):
    """Captions of one modality: input_ids, labels, attention_mask, position_ids (B, L) as in `AuditBatch`.

    media: pictures (K, 3, S, S) or seconds of sound (K, 98, 128), in the order of their placeholders, or where
    `encoded`, features (K, N, E) of the encoder.
    """

    input_ids: Tensor
    labels: Tensor
    attention_mask: Tensor
    position_ids: Tensor
    media: Tensor
    encoded: bool
