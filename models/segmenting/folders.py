"""Loads models from local transformers folders, and says what is wrong with a folder that has none."""

from __future__ import annotations

import logging
from collections.abc import Collection
from pathlib import Path

import torch
from transformers import PreTrainedConfig, PreTrainedModel

from models.weights.weight_files import WEIGHT_FILES
from utils.settings_files import read_object

logger = logging.getLogger(__name__)


def check_model_folder(folder: str | Path, model_types: Collection[str]) -> str:
    """The `model_type` in the folder's config.json, after checking that it is one of `model_types` and has weights.

    Raises FileNotFoundError for a missing folder, config.json or file of weights, ValueError for another model.
    """
    folder, wanted = Path(folder), " or ".join(model_types)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: expected a folder with a {wanted} model, got nothing there")
    if not (folder / "config.json").is_file():
        raise FileNotFoundError(f"{folder}: expected the config.json of a {wanted} model, got none")
    model_type = read_object(folder / "config.json").get("model_type")
    if model_type not in model_types:
        raise ValueError(f"{folder}: expected a model of type {wanted}, got {model_type}")
    if not any((folder / name).is_file() for name in WEIGHT_FILES):
        raise FileNotFoundError(f"{folder}: expected weights in one of {', '.join(WEIGHT_FILES)}, got none")
    return model_type


def load_folder(
    model_class: type,
    folder: str | Path,
    device: str | torch.device,
    dtype: torch.dtype | str = torch.float32,
    config_class: type[PreTrainedConfig] | None = None,
    **options,
) -> PreTrainedModel:
    """A frozen model of a transformers class in evaluation mode, on `device`; dtype "auto" is that of its files.

    `config_class` reads the config.json as another model type than the one it names. `options`: more of
    `from_pretrained`.

    Raises ValueError when a weight is missing or does not fit. Weights that the class does not use are only logged:
    released folders hold buffers of older versions and parts of related models.
    """
    torch.empty(0, device=device)  # for a device that does not exist, torch's own error is clear
    try:
        config = config_class.from_dict(read_object(Path(folder) / "config.json")) if config_class else None
        model, info = model_class.from_pretrained(
            folder,
            config=config,
            dtype=dtype,
            device_map={"": device},
            local_files_only=True,
            output_loading_info=True,
            **options,
        )
    except (MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:  # damaged files raise many kinds of errors, depending on the part that is damaged
        raise ValueError(f"{folder}: expected a whole {model_class.__name__}, got {_first_line(error)}") from error
    if missing := sorted(info["missing_keys"]):
        raise ValueError(f"{folder}: expected all weights of {type(model).__name__}, got none for {', '.join(missing)}")
    if unused := sorted(info["unexpected_keys"]):
        logger.info("%s: %d weights are not used by %s", folder, len(unused), type(model).__name__)
    return model.eval().requires_grad_(False)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
