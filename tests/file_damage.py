"""Damages of a file: what a full disk, a bad disk, a cut copy or a careless hand leaves of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path


def half(path: Path) -> None:
    _replace(path, path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    _replace(path, b"")


def one_bit(path: Path) -> None:
    """Flips a bit three quarters in, where weight files have weights."""
    content = bytearray(path.read_bytes())
    content[len(content) * 3 // 4] ^= 1
    _replace(path, bytes(content))


def gone(path: Path) -> None:
    path.unlink()


DAMAGES: dict[str, Callable[[Path], None]] = {"half": half, "empty": empty, "one bit": one_bit, "gone": gone}


def linked_copy(folder: Path, place: Path) -> Path:
    """A copy of a folder that costs no room: damages replace a file, so the original keeps its own."""
    return Path(shutil.copytree(folder, place, copy_function=os.link))


def _replace(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)
