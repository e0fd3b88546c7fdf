"""The released files: their layout and their key names, in both directions.

A "state" is what `trainable.trained_state` gives: our parameter names -> tensors. Reading is strict: a key is used,
listed in `unused_keys`, or named in an error.
"""

from __future__ import annotations

import re
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from models.weights.unused_keys import UNUSED_PRETRAIN_KEYS, UNUSED_PROJECTOR_KEYS
from models.weights.weight_files import expect_tensors, read_mapped_file, read_torch_file
from utils.whole_files import own_folder, whole_file

PAIR_PREFIX, PRETRAIN_PREFIX = "base_model.model.model.", "model."
FINETUNE_FILE, NON_LORA_FILE = "finetune_weights.bin", "non_lora_trainables.bin"
MODALITIES = {"vision_projector": ("vl_projector", "visual"), "audio_projector": ("al_projector", "audio")}

_EMBEDDING = "language_model.base_model.model.model.embed_tokens.weight"
_HEAD = "language_model.base_model.model.lm_head.weight"
_EMBEDDING_AND_HEAD = {_EMBEDDING: PAIR_PREFIX + "embed_tokens.weight", _HEAD: "base_model.model.lm_head.weight"}
# our name -> published name, in both directions; {m} is visual or audio
_PROJECTOR_NAMES = (
    ("query_tokens", "{m}_query_tokens"),
    ("norm.", "{m}_ln."),
    ("mlp.", "{m}_proj."),
    ("qformer.layernorm.", "{m}_Qformer.bert.embeddings.LayerNorm."),
    ("qformer.encoder.", "{m}_Qformer.bert.encoder."),
)


def read_pretrained_projector(path: str | Path, projector: str) -> dict[str, Tensor]:
    """audio_pretrain.bin or visual_pretrain.bin as a state of `projector` ("vision_projector", "audio_projector").

    Raises ValueError for a key that is neither a projector's nor known to be unused, or a file without any.
    """
    state, unknown = {}, []
    for key, tensor in expect_tensors(read_mapped_file(path), path).items():
        name = our_name(key, PRETRAIN_PREFIX)
        if name and name.startswith(projector):
            state[name] = tensor
        elif not (is_unused(key) or UNUSED_PRETRAIN_KEYS.search(key)):
            unknown.append(key)
    if unknown or not state:
        raise ValueError(f"{path}: expected the keys of one {projector}, got {unknown or 'none of them'}")
    return state


def write_pretrained_projector(state: dict[str, Tensor], path: str | Path) -> None:
    """A projector's state under the published names: a torch file, or safetensors where the path ends so."""
    content = {published_name(name, PRETRAIN_PREFIX): tensor.contiguous() for name, tensor in state.items()}
    with whole_file(Path(path)) as temporary:
        if Path(path).suffix == ".safetensors":
            save_file(content, temporary, metadata={"format": "pt"})
        else:
            torch.save(content, temporary)


def find_pair(path: str | Path) -> tuple[Path, Path] | None:
    """(finetune_weights.bin, non_lora_trainables.bin) of a released folder or of one checkpoint-N in it, or None.

    Of several checkpoints the newest (largest N) is taken. Raises FileNotFoundError when half of the pair is missing.
    """
    path = Path(path)
    if (path / FINETUNE_FILE).is_file():
        beside = (path / NON_LORA_FILE).is_file()
        pair = path / FINETUNE_FILE, (path if beside else path.absolute().parent) / NON_LORA_FILE
    elif (path / NON_LORA_FILE).is_file():
        steps = [p for p in path.glob("checkpoint-*") if re.fullmatch(r"checkpoint-\d+", p.name)]
        steps = [p for p in steps if (p / FINETUNE_FILE).is_file()]
        if not steps:
            raise FileNotFoundError(f"{path}: expected checkpoint-N/{FINETUNE_FILE} beside {NON_LORA_FILE}, got none")
        pair = max(steps, key=lambda p: int(p.name.rpartition("-")[2])) / FINETUNE_FILE, path / NON_LORA_FILE
    else:
        return None
    if not pair[1].is_file():
        raise FileNotFoundError(f"{pair[1]}: no such file; the released pair needs it beside {pair[0].parent.name}")
    return pair


def read_pair(finetune_path: Path, non_lora_path: Path) -> dict[str, Tensor]:
    """The released pair as one state. Of the projectors, those of non_lora_trainables.bin win, as published.

    Raises ValueError that names every unknown key.
    """
    state, unknown = {}, []
    for path in (finetune_path, non_lora_path):
        for key, tensor in expect_tensors(read_torch_file(path), path).items():
            name = our_name(key, PAIR_PREFIX)
            if name:
                state[name] = tensor
            elif not is_unused(key):
                unknown.append(f"{path.name}: {key}")
    if unknown:
        raise ValueError(f"{finetune_path.parent}: unknown keys {unknown}")
    return state


def write_pair(state: dict[str, Tensor], folder: str | Path, step: int) -> tuple[Path, Path]:
    """A state as checkpoint-<step>/finetune_weights.bin and non_lora_trainables.bin.

    The unused text half of the Q-Formers is not written; the released code fills it at random and never reads it.
    Raises ValueError for a parameter that the released format has no name for (Regress ST's head).
    """
    names = {name: published_name(name, PAIR_PREFIX) for name in state}
    if nameless := [name for name, published in names.items() if published is None]:
        raise ValueError(f"the released format has no place for {nameless}")
    finetune = {names[name]: t for name, t in state.items() if ".lora_" in name or name.startswith(tuple(MODALITIES))}
    non_lora = {names[name]: t for name, t in state.items() if ".lora_" not in name}
    paths = Path(folder) / f"checkpoint-{step}" / FINETUNE_FILE, Path(folder) / NON_LORA_FILE
    own_folder(paths[0].parent)
    for path, content in zip(paths, (finetune, non_lora), strict=True):
        with whole_file(path) as temporary:
            torch.save(content, temporary)
    return paths


def our_name(key: str, prefix: str) -> str | None:
    """A published key as our parameter name; None when it is unused or unknown."""
    if ".lora_" in key and key.startswith(PAIR_PREFIX):
        return "language_model." + key
    for ours, published in _EMBEDDING_AND_HEAD.items():
        if key == published and prefix == PAIR_PREFIX:
            return ours
    if is_unused(key):
        return None
    for projector, (short, modality) in MODALITIES.items():
        for ours, theirs in _PROJECTOR_NAMES:
            start = f"{prefix}{short}.{theirs.format(m=modality)}"
            if key.startswith(start):
                return f"{projector}.{ours}{key.removeprefix(start)}".replace("attention.self.", "attention.attention.")
    return None


def published_name(name: str, prefix: str) -> str | None:
    """Our parameter name as the published key; None when there is none."""
    if name in _EMBEDDING_AND_HEAD:
        return _EMBEDDING_AND_HEAD[name]
    if ".lora_" in name:
        return name.removeprefix("language_model.")
    projector, _, rest = name.partition(".")
    short, modality = MODALITIES.get(projector, (None, None))
    for ours, theirs in _PROJECTOR_NAMES:
        if short and rest.startswith(ours):
            rest = rest.removeprefix(ours).replace("attention.attention.", "attention.self.")
            return f"{prefix}{short}.{theirs.format(m=modality)}{rest}"
    return None


def is_unused(key: str) -> bool:
    """True for the keys of the released files that no computation of the published system reads."""
    return bool(UNUSED_PROJECTOR_KEYS.search(key))
