"""Files and folders that appear whole or not at all: written beside their place, then moved there.

What a program that was killed left beside a place has the place's name in its own, and ends with .tmp or .old.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """The path to write to; when the block ends without an error, the file is at `path`, otherwise nothing is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = name_beside(path)
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """The folder to write to; when the block ends without an error it is at `path`, otherwise nothing is.

    Raises ValueError when something is there already: only a folder without content is replaced.
    """
    path = path.resolve()
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise ValueError(f"{path}: expected a folder that is new or empty, got one with content or a file")
    temporary = name_beside(path)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def swap_folder(new: Path, place: Path) -> None:
    """Put the folder `new` in the place of the one at `place`, and remove that.

    Whenever the program is killed, one of both is whole, at `place` or beside it.
    """
    old = name_beside(place, "old")
    place.rename(old)
    try:
        new.rename(place)
    except OSError:
        old.rename(place)
        raise
    shutil.rmtree(old, ignore_errors=True)


def name_beside(path: Path, ending: str = "tmp") -> Path:
    """A hidden name in the same folder that nobody else uses."""
    return path.with_name(f".{path.name}.{os.getpid()}-{token_hex(4)}.{ending}")


def left_beside(path: Path) -> list[Path]:
    """What writers of `path` have left beside it because they were killed."""
    pattern = re.compile(rf"\.{re.escape(path.name)}\.\d+-[0-9a-f]{{8}}\.(tmp|old)")
    return sorted(p for p in path.parent.glob(".*") if pattern.fullmatch(p.name)) if path.parent.is_dir() else []


def flush(path: Path) -> None:
    """Bring a file's content, or the names in a folder, from the system's memory to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
