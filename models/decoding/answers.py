"""A batch -> the answers of an auditor or a thinker as text."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

from transformers import PreTrainedTokenizerBase

from models.decoding.drafts import Drafts
from models.decoding.together import answer_together
from models.language.audio_visual import AudioVisualLM
from utils.batches import GroupedBatch, PromptBatch
from utils.tokens import IOU_VALUE

Decode = Callable[[PreTrainedTokenizerBase, list[int]], str]


def write_answers(
    auditor: AudioVisualLM,
    tokenizer: PreTrainedTokenizerBase,
    batch: PromptBatch | GroupedBatch,
    max_new_tokens: int,
    drafts: Drafts | None = None,
    decode: Decode | None = None,
) -> list[tuple[list[int], str]]:
    """(generated ids, text) per sample of a batch that lies on the auditor's device.

    The text keeps its special tokens and begins with BOS, as published. With Regress ST the number that the IoU head
    gives stands in the place of `<iou_value>`. `drafts` serves batches of a `GroupingCollator`. `decode`: ids -> text.
    """
    if "roots" in batch:
        generated, ious = answer_together(auditor, batch, max_new_tokens, drafts)
    else:
        generated = auditor.generate(batch, max_new_tokens)
        regresses = auditor.regressed_token() is not None
        ious = auditor.generated_ious(batch, generated) if regresses else [None] * len(generated)
    texts = [(decode or decode_plain)(tokenizer, ids) for ids in generated]
    return [(ids, _with_iou(text, iou)) for ids, text, iou in zip(generated, texts, ious, strict=True)]


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
