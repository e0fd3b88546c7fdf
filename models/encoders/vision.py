"""Frozen vision towers behind one interface: CLIP-normalised pixels in, patch features of one hidden layer out.

Knows what a tower promises, the `source` syntax and transformers' CLIP folders. The other two libraries are
vision_backbones' business and are imported only when a source names them; which tower a run uses is the caller's.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from accelerate import init_empty_weights
from torch import Tensor, nn
from transformers import AutoConfig, CLIPConfig, CLIPVisionConfig, CLIPVisionModel

from models.weights.unused_keys import UNUSED_CLIP_KEYS
from models.weights.weight_files import expect_tensors, read_mapped_file

WEIGHT_FILES = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)
PUBLISHED_FEATURE_LAYER = 23  # of 24: the last but one
# Files of a whole CLIPModel and files from transformers 4 have it; CLIPVisionModel of transformers 5 writes bare names.
TOWER_PREFIX = "vision_model."


class VisionTower(nn.Module):
    """A frozen image encoder that gives the patch features of one hidden layer.

    N images, P patches per image (256), E encoder width (1024), H = W = `image_size` pixels (224).
    A subclass hands over its library's module, cut after the chosen layer, and says how to run it.
    """

    def __init__(self, tower: nn.Module, hidden_size: int, num_patches: int, image_size: int):
        super().__init__()
        self.tower = tower.requires_grad_(False)
        self.hidden_size = hidden_size
        self.num_patches = num_patches
        self.image_size = image_size
        self.eval()

    def train(self, mode: bool = True) -> "VisionTower":
        """Stay in evaluation mode, whatever the model around it does: a frozen tower has no dropout."""
        return super().train(False)

    @torch.no_grad()
    def forward(self, pixel_values: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, P, E) in the tower's dtype, patches in row order, class token dropped.

        Raises ValueError when the pixels have another size than the tower was made for.
        """
        size, shape = self.image_size, tuple(pixel_values.shape)
        if len(shape) != 4 or shape[1:] != (3, size, size):
            raise ValueError(f"vision tower: expected pixel_values (N, 3, {size}, {size}), got {shape}")
        dtype = next(self.tower.parameters()).dtype
        return self.encode_patches(pixel_values.to(dtype))

    def encode_patches(self, pixel_values: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, P, E) with this library's calls."""
        raise NotImplementedError


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
    if library in ("open_clip", "timm"):
        from models.encoders.vision_backbones import load_open_clip_tower, load_timm_tower  # they import this file

        load = load_open_clip_tower if library == "open_clip" else load_timm_tower
        return load(name, feature_layer, dtype)
    return load_clip_tower(Path(source), feature_layer, dtype)


def load_clip_tower(folder: Path, feature_layer: int | None = None, dtype: torch.dtype = torch.float32) -> ClipTower:
    """The tower in a transformers CLIP folder; all layers' weights are checked before the unused ones are cut."""
    config = read_clip_config(folder)
    with init_empty_weights():  # a random initialisation of ViT-L takes five seconds, only to be overwritten
        model = CLIPVisionModel(config)
    load_strictly(model, read_folder_state(folder), TOWER_PREFIX, UNUSED_CLIP_KEYS, folder, dtype)
    return ClipTower(model, feature_layer)


def build_clip_tower(config: CLIPVisionConfig, feature_layer: int | None = None) -> ClipTower:
    """The tower from its sizes alone, randomly initialised; under `torch.device("meta")` it takes no memory."""
    return ClipTower(CLIPVisionModel(config), feature_layer)


def resolve_feature_layer(feature_layer: int | None, num_layers: int) -> int:
    """How many layers to run for hidden_states[feature_layer]; the embeddings alone (0) are not offered.

    None means the published choice: hidden state 23, or the last but one (-2) of a tower with fewer than 23 layers.
    """
    if feature_layer is None:
        feature_layer = PUBLISHED_FEATURE_LAYER if num_layers >= PUBLISHED_FEATURE_LAYER else -2
    depth = feature_layer + num_layers + 1 if feature_layer < 0 else feature_layer
    if not 1 <= depth <= num_layers:
        raise ValueError(
            f"vision feature layer {feature_layer}: a tower of {num_layers} layers has the layers 1 to {num_layers}, "
            f"or {-num_layers} to -1 counted from the end"
        )
    return depth


def read_clip_config(folder: Path) -> CLIPVisionConfig:
    """The vision part of a folder's `config.json`."""
    if not (folder / "config.json").is_file():
        raise FileNotFoundError(f"vision tower: no CLIP folder with a config.json at {folder}")
    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    if isinstance(config, CLIPConfig):
        return config.vision_config
    if not isinstance(config, CLIPVisionConfig):
        raise ValueError(f"vision tower: {folder} holds a {config.model_type!r} model, expected a CLIP model")
    return config


def read_folder_state(folder: Path) -> dict[str, Tensor]:
    """All tensors of a transformers folder: safetensors before bin files, in one file or in shards."""
    found = next((folder / name for name in WEIGHT_FILES if (folder / name).is_file()), None)
    if found is None:
        raise FileNotFoundError(f"vision tower: no weights in {folder}, expected one of {', '.join(WEIGHT_FILES)}")
    if found.suffix != ".json":
        return expect_tensors(read_mapped_file(found), found)
    shards = [folder / name for name in sorted(set(json.loads(found.read_text())["weight_map"].values()))]
    return {key: tensor for shard in shards for key, tensor in expect_tensors(read_mapped_file(shard), shard).items()}


def load_strictly(
    module: nn.Module,
    state: Mapping[str, Tensor],
    prefix: str,
    unused: re.Pattern,
    origin: Path,
    dtype: torch.dtype,
) -> None:
    """Give `module` the weights of `state` in `dtype`; `module` itself may be on the meta device.

    `prefix` is taken off where the file uses it. Raises ValueError that names `origin` and every key that is missing,
    has another shape, or is unexpected and not found by `unused`.
    """
    if not any(key.startswith(prefix) for key in state):
        prefix = ""
    expected = module.state_dict()
    named = {key: key.removeprefix(prefix) for key in state if key.startswith(prefix)}
    found = {name: state[key] for key, name in named.items() if name in expected}
    problems = {
        "missing": [prefix + name for name in expected if name not in found],
        "unexpected": [key for key in state if named.get(key) not in expected and not unused.search(key)],
        "of another shape": [prefix + name for name in found if found[name].shape != expected[name].shape],
    }
    if any(problems.values()):
        listed = "; ".join(f"{kind}: {', '.join(keys)}" for kind, keys in problems.items() if keys)
        raise ValueError(f"vision tower: the weights of {origin} do not fit, {listed}")
    # a copy, so that no parameter hangs on a mapped file
    module.load_state_dict({name: tensor.to(dtype, copy=True) for name, tensor in found.items()}, assign=True)
