"""Decides what learns, and shows it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext

import torch
from torch import Tensor

from models.language.audio_visual import AudioVisualLM
from models.weights.weight_files import expect_numbers
from utils.settings_files import few


def mark_trainable(auditor: AudioVisualLM) -> None:
    """LoRA, both projectors, the token embedding and the head learn (as published), and Regress ST's IoU head."""
    auditor.requires_grad_(False)
    for name, parameter in auditor.named_parameters():
        parameter.requires_grad = learns(name)


def learns(name: str) -> bool:
    """Whether a parameter of this name is trained."""
    return (
        name.startswith(("vision_projector.", "audio_projector.", "iou_head."))
        or ".lora_" in name
        or name.endswith(("embed_tokens.weight", "lm_head.weight"))
    )


def trained_state(auditor: AudioVisualLM) -> dict[str, Tensor]:
    """Everything that learning changes, by parameter name, on the CPU; ZeRO-3 shards are gathered on every rank."""
    state = {}
    for name, parameter in _learning_parameters(auditor):
        with _gathered(parameter):
            state[name] = parameter.detach().cpu().clone()
    return state


def load_trained_state(auditor: AudioVisualLM, state: dict[str, Tensor], source: str, prefix: str = "") -> None:
    """Copy a trained state, or the part of one whose names begin with `prefix`, into the auditor, strictly.

    Raises ValueError as `check_state`.
    """
    parameters = {name: p for name, p in _learning_parameters(auditor) if name.startswith(prefix)}
    check_state({name: _shape(parameter) for name, parameter in parameters.items()}, state, source)
    for name, parameter in parameters.items():
        with _gathered(parameter, modify=True):
            parameter.data.copy_(state[name])


def check_state(expected: dict[str, tuple[int, ...]], state: dict[str, Tensor], source: str) -> None:
    """Raises ValueError that names keys of `state` which are missing, left over, of another shape, or no numbers."""
    missing, unexpected = sorted(expected.keys() - state.keys()), sorted(state.keys() - expected.keys())
    if missing or unexpected:
        raise ValueError(f"{source}: does not fit this auditor; {_listed(missing, unexpected)}")
    for name, shape in expected.items():
        if tuple(state[name].shape) != shape:
            raise ValueError(f"{source}: {name}: expected shape {shape}, got {tuple(state[name].shape)}")
    expect_numbers(state, source)


def _listed(missing: list[str], unexpected: list[str]) -> str:
    return f"missing {few(missing) or 'none'}, unexpected {few(unexpected) or 'none'}"


def expected_shapes(auditor: AudioVisualLM) -> dict[str, tuple[int, ...]]:
    """Name and shape of everything that learns; the auditor may lie on the meta device."""
    return {name: _shape(parameter) for name, parameter in _learning_parameters(auditor)}


def trainable_table(auditor: AudioVisualLM) -> str:
    """A table of the parts: parameters in all, parameters that learn."""
    rows = [("part", "parameters", "learning")]
    for label, belongs in _PARTS.items():
        counts = [(_size(p), p.requires_grad) for name, p in auditor.named_parameters() if belongs(name)]
        if counts:
            rows.append((label, f"{sum(n for n, _ in counts):,}", f"{sum(n for n, learns in counts if learns):,}"))
    total, learning = (sum(int(row[i].replace(",", "")) for row in rows[1:]) for i in (1, 2))
    rows.append(("all", f"{total:,}", f"{learning:,} ({100 * learning / total:.1f}%)"))
    return "\n".join(f"{label:<26}{count:>16}  {learns:>22}" for label, count, learns in rows)


_PARTS = {
    "vision encoder": lambda n: n.startswith("vision_encoder."),
    "audio encoder": lambda n: n.startswith("audio_encoder."),
    "vision projector": lambda n: n.startswith("vision_projector."),
    "audio projector": lambda n: n.startswith("audio_projector."),
    "LLM: LoRA": lambda n: ".lora_" in n,
    "LLM: embedding and head": lambda n: n.endswith(("embed_tokens.weight", "lm_head.weight")),
    "LLM: the rest": lambda n: (
        n.startswith("language_model.")
        and ".lora_" not in n
        and not n.endswith(("embed_tokens.weight", "lm_head.weight"))
    ),
    "IoU head": lambda n: n.startswith("iou_head."),
}


def _learning_parameters(auditor: AudioVisualLM) -> Iterator[tuple[str, torch.nn.Parameter]]:
    """The learning parameters; one that is shared (a tied head) comes once, under its first name."""
    return ((name, parameter) for name, parameter in auditor.named_parameters() if learns(name))


def _gathered(parameter: Tensor, modify: bool = False):
    if not hasattr(parameter, "ds_id"):
        return nullcontext()
    import deepspeed  # only a ZeRO-3 run has sharded parameters

    return deepspeed.zero.GatheredParameters([parameter], modifier_rank=0 if modify else None)


def _shape(parameter: Tensor) -> tuple[int, ...]:
    return tuple(getattr(parameter, "ds_shape", parameter.shape))


def _size(parameter: Tensor) -> int:
    return getattr(parameter, "ds_numel", parameter.numel())
