"""Names of features: an encoder with its settings, and what it encoded, each as a digest of content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import torch
from torch import nn

PREPROCESSING = 1  # another number when pixels or filter banks of the same files change
_PASSING = ("training", "name_or_path")  # what does not change features


def encoder_name(encoder: nn.Module, *settings) -> str:
    """Digest of an encoder's weights, their type, how it is built, and the settings that decide what it is shown."""
    built = [(name, type(module).__name__, sorted(_plain(module).items())) for name, module in encoder.named_modules()]
    digest = hashlib.sha256(repr((PREPROCESSING, settings, built)).encode())
    for name, tensor in encoder.state_dict().items():
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()[:32]


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
