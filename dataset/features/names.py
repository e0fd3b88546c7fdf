"""Names of features: an encoder with its settings, and what it encoded, each as a digest of content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor, nn

PREPROCESSING = 1  # another number when pixels or filter banks of the same files change
_PASSING = ("training", "name_or_path")  # what does not change features


def encoder_name(encoder: nn.Module, *settings) -> str:
    """Digest of an encoder's weights, their type, how it is built, and the settings that decide what it is shown."""
    return state_digest(encoder.state_dict().items(), PREPROCESSING, settings, how_built(encoder))


def state_digest(tensors: Iterable[tuple[str, Tensor]], *about) -> str:
    """32 hex digits, of named tensors and of plain values that are said of them. About 1.5 GB a second."""
    digest = hashlib.sha256(repr(about).encode())
    for name, tensor in tensors:
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()[:32]


def how_built(model: nn.Module) -> list[tuple]:
    """Name, class and plain attributes of each module."""
    return [(name, type(module).__name__, sorted(_plain(module).items())) for name, module in model.named_modules()]


def _plain(module: nn.Module) -> dict[str, object]:
    """The numbers and words that a module was built with: heads, epsilons, names of functions."""
    own = {key: getattr(value, "__name__", value) for key, value in vars(module).items() if not key.startswith("_")}
    return {k: v for k, v in own.items() if k not in _PASSING and isinstance(v, (int, float, str, tuple, type(None)))}


def image_encoder_name(encoder: nn.Module, pixels: dict, device: torch.device) -> str:
    """The name of a vision encoder with the settings `pixels` that turn pictures into what it takes, on a device."""
    return encoder_name(encoder, sorted(pixels.items()), device.type)


def sound_encoder_name(encoder: nn.Module, device: torch.device) -> str:
    """The name of an audio encoder on a device."""
    return encoder_name(encoder, device.type)


def content_name(files: Iterable[Path], view: str) -> str:
    """Digest of the files that one picture or sound is made from, and of how."""
    return hashlib.sha256(b" ".join([view.encode(), *(_file_digest(path) for path in files)])).hexdigest()


@lru_cache(4096)
def _file_digest(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


def forget_digests() -> None:
    """Files may have been written again since they were read."""
    _file_digest.cache_clear()
