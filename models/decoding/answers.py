"""A batch -> the answers of an auditor or a thinker as text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import torch
from transformers import PreTrainedTokenizerBase

from models.decoding.drafts import Drafts
from models.decoding.together import answer_together
from models.decoding.watching import Watch
from models.language.audio_visual import AudioVisualLM
from utils.batches import GroupedBatch, PromptBatch
from utils.tokens import IOU_VALUE

Decode = Callable[[PreTrainedTokenizerBase, list[int]], str]


@dataclass(frozen=True)
class Written:
    """One answer: its token ids and its text.

    seen: the probabilities (len(ids), W) of the watched tokens in the place of each id.
    """

    ids: list[int]
    text: str
    seen: torch.Tensor = field(compare=False)


def write_answers(
    auditor: AudioVisualLM,
    tokenizer: PreTrainedTokenizerBase,
    batch: PromptBatch | GroupedBatch,
    max_new_tokens: int,
    drafts: Drafts | None = None,
    watched: Sequence[int] = (),
    decode: Decode | None = None,
) -> list[Written]:
    """One answer per sample of a batch that lies on the auditor's device.

    The text keeps its special tokens and begins with BOS, as published. With Regress ST the number that the IoU head
    gives stands in the place of `<iou_value>`. `drafts` serves batches of a `GroupingCollator`. `watched`: W token
    ids. `decode`: ids -> text.
    """
    if "roots" in batch:
        answers = answer_together(auditor, batch, max_new_tokens, drafts, watched=watched)
        generated = [(answer.ids, answer.number, torch.stack(answer.seen)) for answer in answers]
    else:
        generated = _one_by_one(auditor, batch, max_new_tokens, watched)
    to_text = decode or decode_plain
    return [Written(ids, _with_iou(to_text(tokenizer, ids), iou), seen) for ids, iou, seen in generated]


def _one_by_one(
    auditor: AudioVisualLM, batch: PromptBatch, max_new_tokens: int, watched: Sequence[int]
) -> list[tuple[list[int], float | None, torch.Tensor]]:
    """Ids, regressed IoU and probabilities of watched tokens of each answer, without shared prompts."""
    watch = Watch(watched, auditor.device)
    generated = auditor.generate(batch, max_new_tokens, watch)
    regresses = auditor.regressed_token() is not None
    ious = auditor.generated_ious(batch, generated) if regresses else [None] * len(generated)
    seen = [watch.of_answer(number, len(ids)) for number, ids in enumerate(generated)]
    return list(zip(generated, ious, seen, strict=True))


def decode_plain(tokenizer: PreTrainedTokenizerBase, ids: list[int]) -> str:
    """An answer as text, without spaces around special tokens."""
    return (tokenizer.bos_token or "") + tokenizer.decode(ids, skip_special_tokens=False)


def decode_spaced(tokenizer: PreTrainedTokenizerBase, ids: list[int]) -> str:
    """An answer as text, with a space before and after each special token, as in the published answers of thinkers."""
    words, added = [], tokenizer.added_tokens_decoder
    for is_added, group in groupby(ids, lambda own: own in added):
        group = list(group)
        words += tokenizer.convert_ids_to_tokens(group) if is_added else [tokenizer.decode(group)]
    return " ".join(word for word in [tokenizer.bos_token or "", *words] if word)


def _with_iou(text: str, iou: float | None) -> str:
    """The text with the IoU in the place of the first `<iou_value>`, where there is an IoU."""
    return text if iou is None else text.replace(IOU_VALUE, f"{iou:.4f}", 1)
