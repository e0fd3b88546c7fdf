"""What frozen encoders make of pictures and sounds, kept on disk between runs.

One safetensors file each, under the name of the encoder and of what was encoded: both names are digests of content, so
a changed picture or another encoder is never taken for one that was seen before.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from utils.whole_files import write_bytes

PREPROCESSING = 1  # another number when pixels or filter banks of the same files change
GIGABYTE = 10**9
IN_USE = 3 * 24 * 3600  # seconds since a run has last asked for a file, in which it is not removed
_OURS = re.compile(r"[0-9a-f]{32}/[0-9a-f]{2}/[0-9a-f]{64}\.safetensors")  # nothing else is ever removed
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


def content_name(files: Iterable[Path], view: str) -> str:
    """Digest of the files that one picture or sound is made from, and of how."""
    return hashlib.sha256(b" ".join([view.encode(), *(_file_digest(path) for path in files)])).hexdigest()


@lru_cache(4096)
def _file_digest(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


class FeatureFolder:
    """Files of features under `root`, at most `max_gb` (10^9 bytes) of them; the longest unused go first.

    Several processes and runs may share a folder: a file appears whole or not at all, and what a run has asked for
    when it started stays for three days.
    """

    def __init__(self, root: str | Path, max_gb: float):
        self.root, self.max_gb = Path(root), max_gb

    def place(self, encoder: str, content: str) -> Path:
        return self.root / encoder / content[:2] / f"{content}.safetensors"

    def claim(self, path: Path) -> bool:
        """Whether the file is there; if so it counts as used now."""
        try:
            os.utime(path)
            return path.stat().st_size > 0
        except FileNotFoundError:
            return False

    def write(self, path: Path, features: Tensor) -> None:
        write_bytes(path, save({"features": features.contiguous()}))

    def make_room(self, needed: int) -> None:
        """Remove files that are not in use until `needed` bytes fit. Raises ValueError where they cannot."""
        found = sorted(self._files())
        total = needed + sum(size for _, size, _ in found)
        for used, size, path in found:
            if total <= self.max_gb * GIGABYTE or time.time() - used < IN_USE:
                break
            path.unlink(missing_ok=True)
            total -= size
        if total > self.max_gb * GIGABYTE:
            raise ValueError(
                f"--feature_cache_gb: expected at least {total / GIGABYTE:.3g} for this run and those of the last "
                f"three days, got {self.max_gb:g} (files in {self.root} may be removed by hand)"
            )

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        """When last used, size and path of every file of features."""
        for path in self.root.glob("*/*/*.safetensors"):
            if _OURS.fullmatch(path.relative_to(self.root).as_posix()):
                try:
                    state = path.stat()
                except FileNotFoundError:  # another process was quicker
                    continue
                yield state.st_mtime, state.st_size, path


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
            f"{path}: expected features, got nothing: removed since the run began (start it again)"
        ) from None
    except (SafetensorError, KeyError):
        raise ValueError(f"{path}: expected features, got a damaged file (remove it)") from None
