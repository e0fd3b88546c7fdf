"""Frozen vision towers behind one interface: CLIP-normalised pixels in, patch features of one hidden layer out.

Knows the `source` syntax and transformers' CLIP folders. `vision_backbones` knows the other two libraries, which are
imported only when a source names them. Which tower a run uses is the caller's choice.
"""

from __future__ import annotations

from pathlib import Path

import torch
from accelerate import init_empty_weights
from torch import Tensor
from transformers import CLIPConfig, CLIPVisionConfig, CLIPVisionModel

from models.encoders.tower import VisionTower, load_strictly, resolve_feature_layer
from models.encoders.vision_backbones import load_open_clip_tower, load_timm_tower
from models.weights.model_configs import check_fits, read_model_config
from models.weights.unused_keys import UNUSED_CLIP_KEYS
from models.weights.weight_files import expect_tensors, read_mapped_file, weight_files
from utils.manifest import check_manifest

# Files of a whole CLIPModel and files from transformers 4 have it; CLIPVisionModel of transformers 5 writes bare names.
TOWER_PREFIX = "vision_model."


class ClipTower(VisionTower):
    """The tower of transformers' CLIP."""

    def __init__(self, model: CLIPVisionModel, feature_layer: int | None = None):
        config = model.config
        depth = resolve_feature_layer(feature_layer, config.num_hidden_layers)
        model.encoder.layers = model.encoder.layers[:depth]
        num_patches = (config.image_size // config.patch_size) ** 2
        super().__init__(model, config.hidden_size, num_patches, config.image_size)

    def encode_patches(self, pixel_values: Tensor) -> Tensor:
        # last_hidden_state is the last kept layer's output: only the pooled class token sees the final norm
        return self.tower(pixel_values).last_hidden_state[:, 1:]


def load_vision_tower(source: str, feature_layer: int | None = None, dtype: torch.dtype = torch.float32) -> VisionTower:
    """The frozen tower that `source` names, cut after `feature_layer`, in `dtype` on the CPU.

    `source` is one of
    - a folder with a transformers CLIP model (whole, or the vision part): `config.json` and weights;
    - `open_clip:NAME[@WEIGHTS]`, for instance `open_clip:ViT-L-14-quickgelu@openai`;
    - `timm:NAME[@WEIGHTS]`, for instance `timm:vit_large_patch14_clip_quickgelu_224.openai`.
    WEIGHTS is a checkpoint file; for open_clip also one of its tags; or `random` for untrained weights. Without it
    the library fetches the weights that it publishes under NAME. OpenAI's weights want a `quickgelu` NAME.

    `feature_layer` counts like transformers' hidden_states: 0 the embeddings, -1 the last layer's output. None
    is the published choice: 23, or the last but one (-2) of a tower with fewer than 23 layers.

    Raises FileNotFoundError for a missing folder or file, ValueError for a file that holds no weights, weights that do
    not fit or a layer that does not exist, ImportError for a missing library.
    """
    library, _, name = source.partition(":")
    if library == "open_clip":
        return load_open_clip_tower(name, feature_layer, dtype)
    if library == "timm":
        return load_timm_tower(name, feature_layer, dtype)
    return load_clip_tower(Path(source), feature_layer, dtype)


def load_clip_tower(folder: Path, feature_layer: int | None = None, dtype: torch.dtype = torch.float32) -> ClipTower:
    """The tower in a transformers CLIP folder; all layers' weights are checked before the unused ones are cut."""
    config = read_clip_config(folder)
    check_manifest(folder)
    check_fits(folder, config, lambda: CLIPVisionModel(config))
    with init_empty_weights():  # a random initialisation of ViT-L takes five seconds, only to be overwritten
        model = CLIPVisionModel(config)
    load_strictly(model, read_folder_state(folder), TOWER_PREFIX, UNUSED_CLIP_KEYS, folder, dtype)
    return ClipTower(model, feature_layer)


def build_clip_tower(config: CLIPVisionConfig, feature_layer: int | None = None) -> ClipTower:
    """The tower from its sizes alone, randomly initialised; under `torch.device("meta")` it takes no memory."""
    return ClipTower(CLIPVisionModel(config), feature_layer)


def read_clip_config(folder: Path) -> CLIPVisionConfig:
    """The vision part of a folder's `config.json`."""
    if not (folder / "config.json").is_file():
        raise FileNotFoundError(f"vision tower: no CLIP folder with a config.json at {folder}")
    config = read_model_config(folder)
    if isinstance(config, CLIPConfig):
        return config.vision_config
    if not isinstance(config, CLIPVisionConfig):
        raise ValueError(f"vision tower: {folder} holds a {config.model_type!r} model, expected a CLIP model")
    return config


def read_folder_state(folder: Path) -> dict[str, Tensor]:
    """All tensors of a transformers folder: safetensors before bin files, in one file or in shards."""
    files = weight_files(folder)
    return {key: tensor for one in files for key, tensor in expect_tensors(read_mapped_file(one), one).items()}
