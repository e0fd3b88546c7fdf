"""A batch -> the auditor's answers as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from transformers import PreTrainedTokenizerBase

from models.auditor.auditor import Auditor
from models.decoding.drafts import Drafts
from models.decoding.together import answer_together
from models.decoding.watching import Watch
from utils.batches import GroupedBatch, PromptBatch
from utils.tokens import IOU_VALUE


@dataclass(frozen=True)
class Written:
    """One answer: its token ids and its text.

    seen: the probabilities (len(ids), W) of the watched tokens in the place of each id.
    """

    ids: list[int]
    text: str
    seen: torch.Tensor = field(compare=False)


def write_answers(
    auditor: Auditor,
    tokenizer: PreTrainedTokenizerBase,
    batch: PromptBatch | GroupedBatch,
    max_new_tokens: int,
    drafts: Drafts | None = None,
    watched: Sequence[int] = (),
) -> list[Written]:
    """One answer per sample of a batch that lies on the auditor's device.

    The text keeps its special tokens and begins with BOS, as published. With Regress ST the number that the IoU head
    gives stands in the place of `<iou_value>`. `drafts` serves batches of a `GroupingCollator`. `watched`: W token ids.
    """
    if "roots" in batch:
        answers = answer_together(auditor, batch, max_new_tokens, drafts, watched=watched)
        return [Written(one.ids, _decode(tokenizer, one.ids, one.number), torch.stack(one.seen)) for one in answers]
    watch = Watch(watched, auditor.device)
    generated = auditor.generate(batch, max_new_tokens, watch)
    regresses = auditor.regressed_token() is not None
    ious = auditor.generated_ious(batch, generated) if regresses else [None] * len(generated)
    return [
        Written(ids, _decode(tokenizer, ids, iou), watch.of_answer(number, len(ids)))
        for number, (ids, iou) in enumerate(zip(generated, ious, strict=True))
    ]


def _decode(tokenizer: PreTrainedTokenizerBase, ids: list[int], iou: float | None) -> str:
    """An answer as text, with the IoU in the place of the first `<iou_value>` where there is one."""
    text = (tokenizer.bos_token or "") + tokenizer.decode(ids, skip_special_tokens=False)
    return text if iou is None else text.replace(IOU_VALUE, f"{iou:.4f}", 1)
