"""A batch -> the auditor's answers as text."""

from __future__ import annotations

from models.auditor.auditor import Auditor
from models.decoding.drafts import Drafts
from models.decoding.together import answer_together
from utils.batches import GroupedBatch, PromptBatch
from utils.tokens import IOU_VALUE, REGRESS_ST


def write_answers(
    auditor: Auditor, tokenizer, batch: PromptBatch | GroupedBatch, max_new_tokens: int, drafts: Drafts | None = None
) -> list[tuple[list[int], str]]:
    """(generated ids, text) per sample of a batch that lies on the auditor's device.

    The text keeps its special tokens and begins with BOS, as published. With Regress ST the number that the IoU head
    gives stands in the place of `<iou_value>`. `drafts` serves batches of a `GroupingCollator`.
    """
    if "roots" in batch:
        generated, ious = answer_together(auditor, batch, max_new_tokens, drafts)
    else:
        generated = auditor.generate(batch, max_new_tokens)
        regressed = auditor.config.iou_estimation == REGRESS_ST
        ious = auditor.generated_ious(batch, generated) if regressed else [None] * len(generated)
    bos = tokenizer.bos_token or ""
    texts = [bos + tokenizer.decode(ids, skip_special_tokens=False) for ids in generated]
    texts = [t if iou is None else t.replace(IOU_VALUE, f"{iou:.4f}", 1) for t, iou in zip(texts, ious, strict=True)]
    return list(zip(generated, texts, strict=True))
