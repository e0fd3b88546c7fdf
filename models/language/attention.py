"""Attention of rows in which several masks stand behind one prompt: no scores between masks are computed.

An attention function of transformers. Without a `layout` it is the library's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedConfig
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from utils.tokens import EVERYBODY

FULL, SLIDING = "full_attention", "sliding_attention"  # kinds of layers
BEHIND_PROMPTS = "behind_prompts"  # the attention implementation


def visible(
    owner: Tensor,
    position: Tensor,
    key_owner: Tensor,
    key_position: Tensor,
    dtype: torch.dtype,
    window: int | None = None,
) -> Tensor:
    """(B, 1, L, K) to be added to the scores: 0 where a token (B, L) sees a key (B, K), the lowest number elsewhere.

    A token sees keys of its own and everybody's, not after its position, and with a `window` only the last so many
    positions. Padding, which is nobody's, sees padding.
    """
    owner, position = owner[:, :, None], position[:, :, None]  # (B, L) -> (B, L, 1)
    key_owner, key_position = key_owner[:, None, :], key_position[:, None, :]  # (B, K) -> (B, 1, K)
    ours = (key_owner == EVERYBODY) | (key_owner == owner)
    seen = ours & (key_position <= position)  # (B, L, K)
    if window is not None:
        seen &= key_position > position - window
    return torch.where(seen, 0.0, torch.finfo(dtype).min).to(dtype)[:, None]  # (B, 1, L, K)


def attention_masks(
    config: PreTrainedConfig,
    owner: Tensor,
    position: Tensor,
    key_owner: Tensor,
    key_position: Tensor,
    dtype: torch.dtype,
) -> Tensor | dict[str, Tensor]:
    """The `attention_mask` for an LLM of this configuration: one as of `visible`, or one for each kind of layer.

    Raises ValueError for an LLM that has layers of a kind for which there is no such mask.
    """
    text = config.get_text_config()
    kinds, seen = layer_kinds(text), (owner, position, key_owner, key_position, dtype)
    if odd := kinds - {FULL, SLIDING}:
        wanted = "full or sliding attention where masks share a prompt"
        raise ValueError(f"{text.model_type}: expected an LLM of {wanted}, got {min(odd)}")
    masks = {kind: visible(*seen, window=text.sliding_window if kind == SLIDING else None) for kind in kinds}
    return masks if len(masks) > 1 else next(iter(masks.values()))


def layer_kinds(text: PreTrainedConfig) -> set[str]:
    """How the layers of an LLM attend, in transformers' words."""
    if kinds := getattr(text, "layer_types", None):
        return set(kinds)
    if getattr(text, "attention_chunk_size", None) is not None:
        return {"chunked_attention"}
    return {FULL if getattr(text, "sliding_window", None) is None else SLIDING}


@dataclass(frozen=True)
class Layout:
    """Which positions of B rows of L see which, as numbers of the B * L positions; P and S are the longest lengths.

    prompts (B, P): each row's prompt. own (n, S): what is each mask's own. seen (n, P + S): the prompt that a mask
    stands behind, and its own. visible (n, 1, S, P + S): bool. back (B * L,): where the position's result is among the
    results of all prompts, then of all that is masks' own.
    """

    prompts: Tensor
    own: Tensor
    seen: Tensor
    visible: Tensor
    back: Tensor


def enable_layouts(llm: nn.Module) -> bool:
    """Let the LLM read rows by a `layout`, where it can: whether it may be given one from now on.

    One whose attention is not sdpa keeps its own (some have sinks or soft caps), and so does one with windows, which a
    layout does not know. One that does not hand a layout on to
    its attention reads the mask that it is given; so give it one beside the layout.
    """
    if llm.config._attn_implementation == "sdpa" and layer_kinds(llm.config.get_text_config()) == {FULL}:
        llm.set_attn_implementation(BEHIND_PROMPTS)
    return llm.config._attn_implementation == BEHIND_PROMPTS


def lay_out(owner: Tensor) -> Layout:
    """(B, L) numbers of the masks from 1 on, EVERYBODY in a prompt, NOBODY on padding -> how the rows are read.

    Raises ValueError when a row has no prompt or a number is left out.
    """
    owners = owner.flatten()  # (B, L) -> (B * L,)
    rows = torch.arange(len(owner), device=owner.device).repeat_interleave(owner.shape[1])  # (B * L,)
    prompts, in_prompt = _places(torch.where(owners == EVERYBODY, rows, -1), len(owner), "prompt of row")  # (B, P)
    own, in_own = _places(owners - 1, 1, "mask")  # (n, S)
    row = rows[own[:, 0]]  # (n,): the row that each mask stands in

    causal = torch.ones(own.shape[1], own.shape[1], dtype=torch.bool, device=owner.device).tril()  # (S, S)
    sees_prompt = in_prompt[row][:, None].expand(-1, len(causal), -1)  # (n, P) -> (n, S, P)
    sees_own = causal.expand(len(own), -1, -1)  # (S, S) -> (n, S, S)
    visible = torch.cat([sees_prompt, sees_own], -1)[:, None]  # (n, 1, S, P + S)

    results = torch.cat([prompts.flatten(), own.flatten()])  # (B * P + n * S,): whose results these are
    real = torch.cat([in_prompt.flatten(), in_own.flatten()]).nonzero()[:, 0]
    back = torch.zeros_like(owners)
    back[results[real]] = real
    return Layout(prompts, own, torch.cat([prompts[row], own], 1), visible, back)


def _places(group: Tensor, least: int, name: str) -> tuple[Tensor, Tensor]:
    """(N,) number of each position's group, below 0 for none -> (groups, longest) places in order, and which are real.

    Groups are filled up on the right with their own first place, which may be read but counts for nothing.
    """
    sizes = torch.bincount(group[group >= 0], minlength=least).tolist()
    if 0 in sizes:
        raise ValueError(f"layout: expected at least one position of {name} {sizes.index(0)} (from 0), got none")
    in_order = group.argsort(stable=True)[-sum(sizes) :]  # (positions in any group,): those of the first group first
    filled = pad_sequence(in_order.split(sizes), batch_first=True, padding_value=-1)  # (groups, longest)
    real = filled >= 0
    return torch.where(real, filled, filled[:, :1]), real


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    layout: Layout | None = None,
    **kwargs,
) -> tuple[Tensor, None]:
    """(B, heads, L, d) queries, keys, values -> (B, L, heads, d). With a `layout`, it says who sees whom."""
    if layout is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, **kwargs)
    batch, heads, length, _ = query.shape
    query, key, value = (states.transpose(1, 2).flatten(0, 1) for states in (query, key, value))  # (B * L, heads, d)

    def read(asking: Tensor, asked: Tensor, mask: Tensor | None) -> Tensor:
        """Places (groups, S) that look at places (groups, K) -> results (groups * S, heads, d)."""
        picked = _pick(query, asking), _pick(key, asked), _pick(value, asked)  # (groups, heads, S or K, d)
        results, _ = sdpa_attention_forward(module, *picked, mask, **kwargs)  # (groups, S, heads, d)
        return results.flatten(0, 1)

    prompts = read(layout.prompts, layout.prompts, None)  # without a mask it is causal
    own = read(layout.own, layout.seen, layout.visible)
    results = torch.cat([prompts, own]).flatten(1)  # (B * P + n * S, heads * d)
    return results.index_select(0, layout.back).view(batch, length, heads, -1), None


def _pick(states: Tensor, places: Tensor) -> Tensor:
    """(N, heads, d) at places (groups, K) -> (groups, heads, K, d)."""
    picked = states.flatten(1).index_select(0, places.flatten())  # (groups * K, heads * d)
    return picked.view(*places.shape, *states.shape[1:]).transpose(1, 2)


AttentionInterface.register(BEHIND_PROMPTS, attend)
AttentionMaskInterface.register(BEHIND_PROMPTS, sdpa_mask)
