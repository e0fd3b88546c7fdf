"""Attention heads of the mini LLM that are taught where to look.

How a thing moves, whose sound is heard, and whether a region is what an expression means: each is found in steps, one
head a step. Without being shown where to look, the LLM does not find these steps, since no single one of them lowers
the loss. The heads are ordinary ones: they learn it from a small part of the loss, and nothing is left of it in the LLM
but its weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import LlamaForCausalLM
from transformers.models.llama.modeling_llama import rotate_half

from utils.tokens import EVERYBODY

GUIDE_WEIGHT = 0.3  # in the loss, of each head


@dataclass(frozen=True)
class Head:
    """An attention head of the LLM; both numbers from 0."""

    layer: int
    number: int


HEADS = {
    "remembers": Head(1, 0),  # from where a thing is seen or heard to where it is for the first time
    "hears": Head(2, 0),  # from a thing of the asked frame to where it is heard
    "means": Head(3, 0),  # from the end of the asked frame to slots where it is known that their thing is meant
    "compares": Head(4, 0),  # from a masked frame's slot to the end of that frame if it is the one, else to itself
    "inspects": Head(5, 0),  # from everything behind a region to the slots of its masked frame
}


@dataclass(frozen=True)
class Look:
    """Where one token of a row looks: all of its attention should be on `at`. Both are positions in the row."""

    head: str
    token: int
    at: list[int]


def guide_losses(llm: LlamaForCausalLM, hidden: tuple[Tensor, ...], batch: dict) -> dict[str, Tensor]:
    """For each head, the mean of -log of its attention on the right places. `hidden`: inputs of the layers (B, L, D).

    Batch: `looks` maps a head to rows (n,), tokens (n,) and whether a place is a right one (n, L); `owner` and
    `position` (B, L) say who sees whom.
    """
    return {name: _loss(llm, hidden, HEADS[name], batch, *looks) for name, looks in batch["looks"].items()}


def _loss(
    llm: LlamaForCausalLM,
    hidden: tuple[Tensor, ...],
    head: Head,
    batch: dict,
    rows: Tensor,
    tokens: Tensor,
    right: Tensor,
) -> Tensor:
    scores = _scores(llm, hidden[head.layer], head, batch, rows, tokens)  # (n, L)
    owner, position = batch["owner"], batch["position"]
    ours = (owner[rows] == EVERYBODY) | (owner[rows] == owner[rows, tokens, None])
    visible = ours & (position[rows] <= position[rows, tokens, None])
    all_places = scores.masked_fill(~visible, -torch.inf).logsumexp(1)
    right_places = scores.masked_fill(~right, -torch.inf).logsumexp(1)
    return (all_places - right_places).mean()


def _scores(llm: LlamaForCausalLM, states: Tensor, head: Head, batch: dict, rows: Tensor, tokens: Tensor) -> Tensor:
    """(n, L): a head's scores of tokens, by row and position, for all positions of their rows."""
    layer = llm.model.layers[head.layer]
    states = layer.input_layernorm(states)
    size = layer.self_attn.head_dim
    own = slice(head.number * size, (head.number + 1) * size)  # rows of the head in the projections
    queries = states[rows, tokens] @ layer.self_attn.q_proj.weight[own].T  # (n, size)
    keys = states @ layer.self_attn.k_proj.weight[own].T  # (B, L, size)
    cos, sin = llm.model.rotary_emb(states, batch["position"])  # (B, L, size)
    queries = queries * cos[rows, tokens] + rotate_half(queries) * sin[rows, tokens]
    keys = keys * cos + rotate_half(keys) * sin
    return torch.einsum("ns,nls->nl", queries, keys[rows]) * layer.self_attn.scaling
