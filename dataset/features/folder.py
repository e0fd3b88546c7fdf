"""What frozen encoders make of pictures and sounds, kept on disk between runs.

One safetensors file each, under the name of the encoder and of what was encoded: both names are digests of content, so
a changed picture or another encoder is never taken for one that was seen before.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from dataset.features.names import content_name
from utils.whole_files import set_mode, write_bytes

GIGABYTE = 10**9
IN_USE = 3 * 24 * 3600  # seconds since a run has last asked for a file, in which it is not removed
_OURS = re.compile(r"[0-9a-f]{32}/[0-9a-f]{2}/[0-9a-f]{64}\.safetensors")  # nothing else is ever removed


class FeatureFolder:
    """Files of features under `root`, at most `max_gb` (10^9 bytes) of them; the longest unused go first.

    Several processes, runs and users may share a folder: a file appears whole or not at all, and what a run has asked
    for when it started stays for three days.
    """

    def __init__(self, root: str | Path, max_gb: float):
        self.root, self.max_gb = Path(root), max_gb

    def place(self, encoder: str, content: str) -> Path:
        """The file of the features that an encoder has of a picture or sound, both by their names."""
        return self.root / encoder / content[:2] / f"{content}.safetensors"

    def places(self, encoder: str, sources: Callable[[Hashable], tuple[list[Path], str]]) -> Callable[[Hashable], Path]:
        """Key -> its file. `sources`: key -> the files that its picture or sound is made from, and how."""
        return lambda key: self.place(encoder, content_name(*sources(key)))

    def claim(self, path: Path) -> bool:
        """Whether the file is there and may be read; if so it counts as used now, if it may be touched."""
        with suppress(PermissionError):  # of another user: only the time of its last use stays as it was
            try:
                os.utime(path)
            except FileNotFoundError:
                return False
        return os.access(path, os.R_OK) and path.stat().st_size > 0

    def write(self, path: Path, features: Tensor) -> None:
        """New folders get the permissions of the root: who may write there may write below."""
        for folder in (path.parent.parent, path.parent):
            if not folder.is_dir():
                folder.mkdir(parents=True, exist_ok=True)
                set_mode(folder, self.root.stat().st_mode)
        write_bytes(path, save({"features": features.contiguous()}))

    def make_room(self, needed: int) -> None:
        """Remove files that are not in use until `needed` bytes fit. Raises ValueError where they cannot."""
        found = sorted(self._files())
        total = needed + sum(size for _, size, _ in found)
        for used, size, path in found:
            if total <= self.max_gb * GIGABYTE or time.time() - used < IN_USE:
                break
            with suppress(PermissionError):  # of another user, in a folder where each removes their own
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
