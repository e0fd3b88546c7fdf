"""Chats that begin with the same media: the beginning is read once for all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from torch import Tensor
from transformers import DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer

from models.decoding.cache import cache_argument
from models.others.parts import Prompt


def groups_of(prompts: Sequence[Prompt]) -> list[list[int]]:
    """Places of prompts of one length that begin with the same medium, and last the places of all others."""
    found: dict[tuple[int, int], list[int]] = defaultdict(list)
    for place, prompt in enumerate(prompts):
        if prompt.media:
            found[len(prompt.ids), id(prompt.media[0])].append(place)
    groups = [places for places in found.values() if len(places) > 1]
    others = sorted(set(range(len(prompts))).difference(*groups))
    return [*groups, others] if others else groups


def shared_beginning(prompts: Sequence[Prompt]) -> tuple[int, int]:
    """How many tokens and how many media the prompts have in common from their start; all but the last token at most.

    Other pictures of the same size are the same tokens, so the first medium that differs ends the beginning.
    """
    media = 0
    for reads in zip(*(prompt.media for prompt in prompts), strict=False):
        if any(read is not reads[0] for read in reads):
            break
        media += 1
    end = min([len(prompt.ids) - 1 for prompt in prompts] + [p.starts[media] for p in prompts if len(p.media) > media])
    for place, tokens in enumerate(zip(*(prompt.ids[:end] for prompt in prompts), strict=True)):
        if len(set(tokens)) > 1:
            return place, sum(start < place for start in prompts[0].starts[:media])
    return end, media


def can_share(model: PreTrainedModel) -> bool:
    """Whether each layer keeps all keys and values: not with sliding windows, nor with states."""
    layers = DynamicCache(config=model.config.get_text_config()).layers
    return all(type(layer) is DynamicLayer for layer in layers)


def read_together(
    model: PreTrainedModel,
    inputs: dict[str, Tensor],
    count: int,
    common: dict[str, Tensor],
    own: dict[str, Tensor],
) -> dict:
    """All tokens but the last as keys and values: what `generate` needs to go on.

    `inputs`: ids (B, L) and all media of the batch. `count`: tokens in common. `common`: their media, once. `own`: the
    media of all rows behind them.
    """
    ids, cache = inputs["input_ids"], DynamicCache(config=model.config.get_text_config())
    rest = {name: tensor for name, tensor in inputs.items() if name != "input_ids"}
    positions = model._prepare_position_ids_for_generation(ids, dict(rest))
    name = cache_argument(model)

    def read(start: int, end: int, rows: slice, media: dict[str, Tensor]) -> None:
        model(
            input_ids=ids[rows, start:end],
            attention_mask=inputs["attention_mask"][rows, :end],
            position_ids=positions[..., rows, start:end],
            **{name: cache, "use_cache": True, **media},
        )

    read(0, count, slice(0, 1), common)
    cache.batch_repeat_interleave(len(ids))
    if count < ids.shape[1] - 1:
        read(count, ids.shape[1] - 1, slice(None), own)
    return {"input_ids": ids, "attention_mask": inputs["attention_mask"], name: cache}
