"""What every frozen vision tower promises, and what its builders share: depth of a layer, strict loading of weights."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from models.weights.weight_files import expect_numbers
from utils.settings_files import few

PUBLISHED_FEATURE_LAYER = 23  # of 24: the last but one


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

    def train(self, mode: bool = True) -> VisionTower:
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
    has another shape, or is unexpected and not found by `unused`; and for weights that are no finite numbers.
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
        listed = "; ".join(f"{kind}: {few(keys)}" for kind, keys in problems.items() if keys)
        raise ValueError(f"vision tower: the weights of {origin} do not fit, {listed}")
    expect_numbers(found, origin)
    # a copy, so that no parameter hangs on a mapped file
    module.load_state_dict({name: tensor.to(dtype, copy=True) for name, tensor in found.items()}, assign=True)
