"""The same CLIP vision tower from open_clip or timm, with features equal to transformers' for equal weights.

Knows the two libraries' names, checkpoints and calls. They are optional (scripts/requirements-vision.txt) and are
imported inside the functions, so that nothing else of the project ever meets torchvision.
"""

import importlib
import logging
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor, nn

from models.encoders.tower import VisionTower, load_strictly, resolve_feature_layer
from models.weights.unused_keys import UNUSED_OPEN_CLIP_KEYS, UNUSED_TIMM_KEYS
from models.weights.weight_files import expect_tensors, read_mapped_file

logger = logging.getLogger(__name__)

RANDOM_WEIGHTS = "random"
OPEN_CLIP_PREFIX = "visual."


class OpenClipTower(VisionTower):
    """The visual part of an open_clip model."""

    def __init__(self, visual: nn.Module, feature_layer: int | None = None):
        depth = resolve_feature_layer(feature_layer, len(visual.transformer.resblocks))
        visual.prune_intermediate_layers([depth - 1], prune_norm=True, prune_head=True)
        self.last_block = depth - 1
        grid_height, grid_width = visual.grid_size
        super().__init__(visual, visual.conv1.out_channels, grid_height * grid_width, visual.image_size[0])

    def encode_patches(self, pixel_values: Tensor) -> Tensor:
        features = self.tower.forward_intermediates(
            pixel_values, indices=[self.last_block], intermediates_only=True, output_fmt="NLC"
        )
        return features["image_intermediates"][0]


class TimmTower(VisionTower):
    """A VisionTransformer of timm."""

    def __init__(self, model: nn.Module, feature_layer: int | None = None):
        depth = resolve_feature_layer(feature_layer, len(model.blocks))
        model.prune_intermediate_layers([depth - 1], prune_norm=True, prune_head=True)
        self.last_block = depth - 1
        super().__init__(model, model.embed_dim, model.patch_embed.num_patches, model.patch_embed.img_size[0])

    def encode_patches(self, pixel_values: Tensor) -> Tensor:
        (features,) = self.tower.forward_intermediates(
            pixel_values, indices=[self.last_block], intermediates_only=True, output_fmt="NLC"
        )
        return features


def load_open_clip_tower(spec: str, feature_layer: int | None, dtype: torch.dtype) -> OpenClipTower:
    """The tower of `NAME[@WEIGHTS]`; WEIGHTS is a checkpoint file, a tag of open_clip, `random`, or left out."""
    open_clip = import_optional("open_clip")
    name, _, weights = spec.partition("@")
    if name not in open_clip.list_models():
        raise ValueError(f"open_clip has no model {name!r}; open_clip.list_models() names them")
    published = {} if weights == RANDOM_WEIGHTS else find_open_clip_weights(open_clip, name, weights)
    # here open_clip warns of random weights, whatever is loaded below
    model = open_clip.create_model(name, pretrained_text=False, force_quick_gelu=published.get("quick_gelu", False))
    visual = model.visual
    if not isinstance(visual, open_clip.transformer.VisionTransformer):
        raise ValueError(f"open_clip:{name} is a {type(visual).__name__}, expected a CLIP VisionTransformer")
    if published:
        path = Path(open_clip.download_pretrained(published))
        load_strictly(visual, read_training_state(path), OPEN_CLIP_PREFIX, UNUSED_OPEN_CLIP_KEYS, path, dtype)
    else:
        warn_random(spec)
    return OpenClipTower(visual.to(dtype), feature_layer)


def find_open_clip_weights(open_clip: ModuleType, name: str, weights: str) -> dict:
    """open_clip's description of the weights that `NAME@weights` means; a file is described by `{"file": path}`.

    Without `weights`, OpenAI's or the only published ones. Raises ValueError when that leaves a choice.
    """
    tags = open_clip.list_pretrained_tags_by_model(name)
    if not weights and ("openai" in tags or len(tags) == 1):
        weights = "openai" if "openai" in tags else tags[0]
    if weights in tags:
        return open_clip.get_pretrained_cfg(name, weights)
    if not weights or not Path(weights).is_file():
        raise ValueError(f"open_clip:{name} wants @ and a checkpoint file or one of its tags {tags}, got {weights!r}")
    return {"file": weights}


def load_timm_tower(spec: str, feature_layer: int | None, dtype: torch.dtype) -> TimmTower:
    """The tower of `NAME[@WEIGHTS]`; WEIGHTS is a checkpoint file, `random`, or left out."""
    timm = import_optional("timm")
    name, _, weights = spec.partition("@")
    if not timm.is_model(name):
        raise ValueError(f"timm has no model {name!r}; timm.list_models() names them")
    path = Path(weights) if weights and weights != RANDOM_WEIGHTS else None
    if path and not path.is_file():
        raise FileNotFoundError(f"timm:{name}: no checkpoint file at {path}")
    # the classifier stays when timm loads its own weights: without it timm would load them without strictness
    model = timm.create_model(name, pretrained=not weights, **({"num_classes": 0} if weights else {}))
    if not isinstance(model, timm.models.VisionTransformer):
        raise ValueError(f"timm:{name} is a {type(model).__name__}, expected a VisionTransformer")
    if path:
        load_strictly(model, read_training_state(path), "", UNUSED_TIMM_KEYS, path, dtype)
    elif weights:
        warn_random(spec)
    return TimmTower(model.to(dtype), feature_layer)


def import_optional(library: str) -> ModuleType:
    """The imported library. Raises ImportError that says how to get it, also when torchvision does not fit torch."""
    try:
        return importlib.import_module(library)
    except (ImportError, RuntimeError) as error:  # torchvision reports operators it cannot register as RuntimeError
        raise ImportError(
            f"vision tower: {library} cannot be imported ({error}); install scripts/requirements-vision.txt, "
            "on a CPU-only machine in an environment of its own"
        ) from error


def read_training_state(path: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint file, also of open_clip's training checkpoints (`state_dict`, `module.`)."""
    content = read_mapped_file(path)
    state = content.get("state_dict", content) if isinstance(content, dict) else content
    return {key.removeprefix("module."): tensor for key, tensor in expect_tensors(state, path).items()}


def warn_random(spec: str) -> None:
    """Say loudly that the features mean nothing."""
    logger.warning("vision tower %s has untrained random weights", spec)
