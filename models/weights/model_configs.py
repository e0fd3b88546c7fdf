"""config.json of an LLM, a CLIP or a BERT folder: judged before anything of the sizes in it is made.

transformers judges the types of most keys. What it leaves open is in the table here: sizes of 0, rates that are none,
ids that are none. Then the sizes are compared with the heads of the files of weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import nn
from transformers import PreTrainedConfig
from transformers.activations import ACT2FN
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from models.weights.weight_files import Entry, read_entries, weight_files
from utils.settings_files import (
    POSITIVE,
    SHARE,
    TEXT,
    Kind,
    check_settings,
    either,
    many,
    one_line,
    one_of,
    or_null,
    read_object,
    shown,
    whole,
)

SIZE, ID = whole(1, 10**8), whole(-1, 10**8)
SIZES = either(SIZE, many(SIZE, least=1))  # some models have a size for each layer
ACTIVATION = one_of(sorted(ACT2FN))
# Names that most configurations of transformers share
COMMON = {
    **dict.fromkeys(("hidden_size?", "image_size?", "patch_size?", "num_channels?"), SIZE),
    "num_hidden_layers?": whole(1, 1000),
    **dict.fromkeys(("intermediate_size?", "num_attention_heads?"), SIZES),
    **dict.fromkeys(("num_key_value_heads?", "head_dim?"), or_null(SIZES)),
    **dict.fromkeys(("vocab_size?", "max_position_embeddings?"), or_null(SIZE)),
    **dict.fromkeys(("attention_dropout?", "hidden_dropout_prob?", "attention_probs_dropout_prob?"), or_null(SHARE)),
    **dict.fromkeys(("rms_norm_eps?", "layer_norm_eps?", "initializer_range?"), or_null(SHARE)),
    "rope_theta?": or_null(POSITIVE),
    "hidden_act?": ACTIVATION,
    **dict.fromkeys(("bos_token_id?", "eos_token_id?", "pad_token_id?"), or_null(either(ID, many(ID, least=1)))),
    "architectures?": or_null(many(TEXT)),
}
MODEL_TYPE = Kind("a type of model that transformers knows", lambda v: isinstance(v, str) and v in CONFIG_MAPPING)
GENERATION = {"eos_token_id?": COMMON["eos_token_id?"]}
MOST_WEIGHTS_IN_A_BYTE = 2  # of files of quantised weights


def read_model_config(folder: str | Path) -> PreTrainedConfig:
    """The folder's config.json as transformers' class for it; code that a folder brings along is never run.

    Raises FileNotFoundError, or ValueError naming the file and the key.
    """
    path = Path(folder) / "config.json"
    content = read_object(path, {"model_type": MODEL_TYPE} | COMMON)
    for part in ("text_config", "vision_config"):
        if isinstance(content.get(part), dict):
            check_settings(content[part], COMMON, f"{path}: {part}")
        elif content.get(part) is not None:
            raise ValueError(f"{path}: {part}: expected an object, got {shown(content[part])}")
    kind = content["model_type"]
    try:
        config = CONFIG_MAPPING[kind].from_dict(content)
    except Exception as error:  # those of transformers, of huggingface_hub, and of Python
        raise ValueError(f"{path}: expected settings of a {kind} model, got {one_line(error)}") from error
    config.name_or_path = str(folder)
    return config


def check_heads(settings: Mapping, where: str | Path) -> None:
    """Raises ValueError if the width is no multiple of the number of heads."""
    width, heads = settings["hidden_size"], settings["num_attention_heads"]
    if width % heads:
        expected = f"expected a divisor of hidden_size, {width}"
        raise ValueError(f"{where}: num_attention_heads: {expected}, got {heads}")


def check_fits(folder: str | Path, config: PreTrainedConfig, make: Callable[[], nn.Module]) -> None:
    """Compares a configuration with the heads of the folder's files of weights. Nothing of its size is allocated.

    `make` makes the model. Raises ValueError naming config.json and the first weight that does not fit it.
    """
    path, files = Path(folder) / "config.json", weight_files(folder)
    held = {key: entry for file in files for key, entry in read_entries(file).items()}
    layers = getattr(config.get_text_config(), "num_hidden_layers", 0)
    if isinstance(layers, int) and layers > len(held):
        expected = f"expected at most {len(held)}, the number of weights in the folder"
        raise ValueError(f"{path}: num_hidden_layers: {expected}, got {layers}")
    try:
        with torch.device("meta"):
            state = make().state_dict()
    except Exception as error:
        raise ValueError(f"{path}: expected settings of a {config.model_type} model, got {one_line(error)}") from error
    wanted, most = sum(tensor.numel() for tensor in state.values()), sum(file.stat().st_size for file in files)
    if wanted > most * MOST_WEIGHTS_IN_A_BYTE:
        raise ValueError(f"{path}: expected sizes that fit {most:,} bytes of weights, got those of {wanted:,} weights")
    if getattr(config, "quantization_config", None):
        return  # packed: in other shapes and types
    for key, tensor in state.items():
        if key in held:
            _check_entry(held[key], tensor, f"{folder}: {key}")


def _check_entry(entry: Entry, tensor: torch.Tensor, where: str) -> None:
    if sorted(entry.shape) != sorted(tensor.shape):  # some layers are turned when they are loaded
        raise ValueError(f"{where}: expected shape {tuple(tensor.shape)}, as config.json says, got {entry.shape}")
    if tensor.is_floating_point() and not entry.is_float:
        raise ValueError(f"{where}: expected weights as floating-point numbers, got {entry.dtype}")


def check_generation(folder: str | Path) -> None:
    """Judges what an auditor takes from generation_config.json, where there is one. Raises ValueError."""
    path = Path(folder) / "generation_config.json"
    if path.is_file():
        read_object(path, GENERATION)
