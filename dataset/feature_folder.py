"""What frozen encoders make of pictures and sounds, kept on disk between runs.

One safetensors file each, under the name of the encoder and of what was encoded: both names are digests of content, so
a changed picture or another encoder is never taken for one that was seen before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from utils.whole_files import whole_file

PREPROCESSING = 1  # another number when pixels or filter banks of the same files change
GIGABYTE = 10**9


def encoder_name(encoder: nn.Module, *settings) -> str:
    """Digest of an encoder's weights, their type, and of the settings that decide what it is shown."""
    digest = hashlib.sha256(repr((PREPROCESSING, settings)).encode())
    for name, tensor in encoder.state_dict().items():
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()[:32]


def content_name(files: Iterable[Path], view: str) -> str:
    """Digest of the files that one picture or sound is made from, and of how."""
    return hashlib.sha256(b" ".join([view.encode(), *(_file_digest(path) for path in files)])).hexdigest()


@lru_cache(4096)
def _file_digest(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


class FeatureFolder:
    """Files of features under `root`, at most `max_gb` (10^9 bytes) of them; the longest unused go first.

    Several processes may share a folder: a file appears whole or not at all. Each makes room for its own files only,
    so that together they may pass the limit for as long as they run.
    """

    def __init__(self, root: str | Path, max_gb: float):
        self.root, self.max_gb = Path(root), max_gb

    def place(self, encoder: str, content: str) -> Path:
        return self.root / encoder / content[:2] / f"{content}.safetensors"

    def write(self, path: Path, features: Tensor) -> None:
        with whole_file(path) as temporary:
            save_file({"features": features.contiguous()}, temporary)

    def make_room(self, needed: int, keep: set[Path]) -> None:
        """Remove files but those in `keep` until `needed` bytes fit. Raises ValueError where they cannot."""
        found = []
        for path in self.root.rglob("*.*"):
            try:
                state = path.stat()
            except FileNotFoundError:  # another process was quicker
                continue
            if path.is_file():
                found.append((path in keep, state.st_mtime, state.st_size, path))
        total = needed + sum(size for _, _, size, _ in found)
        for kept, _, size, path in sorted(found):
            if total <= self.max_gb * GIGABYTE:
                return
            if kept:
                break
            path.unlink(missing_ok=True)
            total -= size
        if total > self.max_gb * GIGABYTE:
            raise ValueError(
                f"--feature_cache_gb: expected at least {total / GIGABYTE:.3g} for this run, got {self.max_gb:g}"
            )


class KeptFeatures(Mapping):
    """Keys -> features, read from their files when they are asked for."""

    def __init__(self, paths: dict[object, Path]):
        self.paths = paths

    def __getitem__(self, key: object) -> Tensor:
        """Raises ValueError where the file is gone or damaged."""
        return _read(self.paths[key])

    def __iter__(self):
        return iter(self.paths)

    def __len__(self) -> int:
        return len(self.paths)


@lru_cache(64)
def _read(path: Path) -> Tensor:
    try:
        return load_file(path)["features"]
    except FileNotFoundError:
        raise ValueError(
            f"{path}: expected features, got nothing: another run has made room for its own (--feature_cache_gb)"
        ) from None
    except (SafetensorError, KeyError):
        raise ValueError(f"{path}: expected features, got a damaged file (remove it)") from None
