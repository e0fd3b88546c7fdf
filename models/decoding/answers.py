"""A batch -> the auditor's answers as text."""

from __future__ import annotations

from transformers import PreTrainedTokenizerBase

from models.auditor.auditor import Auditor
from models.decoding.drafts import Drafts
from models.decoding.together import answer_together
from utils.batches import GroupedBatch, PromptBatch
from utils.tokens import IOU_VALUE


def write_answers(
    auditor: Auditor,
    tokenizer: PreTrainedTokenizerBase,
    batch: PromptBatch | GroupedBatch,
    max_new_tokens: int,
    drafts: Drafts | None = None,
) -> list[tuple[list[int], str]]:
    """(generated ids, text) per sample of a batch that lies on the auditor's device.

    The text keeps its special tokens and begins with BOS, as published. With Regress ST the number that the IoU head
    gives stands in the place of `<iou_value>`. `drafts` serves batches of a `GroupingCollator`.
    """
    if "roots" in batch:
        generated, ious = answer_together(auditor, batch, max_new_tokens, drafts)
    else:
        generated = auditor.generate(batch, max_new_tokens)
        regresses = auditor.regressed_token() is not None
        ious = auditor.generated_ious(batch, generated) if regresses else [None] * len(generated)
    return [(ids, _decode(tokenizer, ids, iou)) for ids, iou in zip(generated, ious, strict=True)]


def _decode(tokenizer: PreTrainedTokenizerBase, ids: list[int], iou: float | None) -> str:
    """An answer as text, with the IoU in the place of the first `<iou_value>` where there is one."""
    text = (tokenizer.bos_token or "") + tokenizer.decode(ids, skip_special_tokens=False)
    return text if iou is None else text.replace(IOU_VALUE, f"{iou:.4f}", 1)
