"""Files and folders that are never half written: they are written under a temporary name, then renamed.

A temporary name is the name itself with a dot in front and a unique ending, in the same folder. It stays there when the
program is killed. Because of the renaming, a link in a file's place is replaced, and nothing is written through it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import Any

# How torch and safetensors say that a file could not be written; they name no file.
_WRITE_ERRORS = re.compile(r"PytorchStreamWriter|inline_container|iostream error|os error \d+")


_TEMPORARY = re.compile(r"\..+\.\d+-[0-9a-f]{8}\.tmp")


@contextmanager
def naming(path: str | Path) -> Iterator[None]:
    """Errors of writing in the block that name no file, such as that of a full disk, name `path`."""
    try:
        yield
    except OSError as error:
        if error.errno is None or error.filename is not None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error
    except Exception as error:  # torch raises RuntimeError, safetensors a class of its own
        if not _WRITE_ERRORS.search(str(error)):
            raise
        reason = str(error).splitlines()[0]
        raise OSError(f"{path}: could not be written, {_free(Path(path))} ({reason})") from error


def _free(place: Path) -> str:
    """The free room on the disk of a place that may not exist yet."""
    there = next(folder for folder in (place.absolute(), *place.absolute().parents) if folder.exists())
    return f"{shutil.disk_usage(there).free / 1e6:.1f} MB are free on its disk"


@contextmanager
def whole_file(path: str | Path, scratch: Path | None = None) -> Iterator[Path]:
    """Gives a temporary path to write to; the file is renamed to `path` at the end, or deleted after an error.

    The temporary file stands beside `path`, or in the folder `scratch`, which must be on the same disk. The file gets
    the permissions that new files get (umask), also from libraries that make files for their owner only.
    """
    path = Path(path)
    temporary = name_beside(path if scratch is None else scratch / path.name)
    for folder in (path.parent, temporary.parent):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        with naming(path):
            temporary.touch(exist_ok=False)
            usual = temporary.stat().st_mode
            yield temporary
            set_mode(temporary, usual)
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: str | Path, content: bytes, scratch: Path | None = None) -> None:
    """Write a file that is never half written; see `whole_file`."""
    with whole_file(path, scratch) as temporary:
        temporary.write_bytes(content)


def write_text(path: str | Path, text: str) -> None:
    """UTF-8, line ends as in `text`."""
    write_bytes(path, text.encode())


def write_json(path: str | Path, value: Any) -> None:
    """One indented JSON document. Raises ValueError for numbers that are not finite."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def write_jsonl(path: str | Path, rows: Iterable[dict]) -> None:
    """One JSON object per line. Raises ValueError for numbers that are not finite."""
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(json.dumps(row, allow_nan=False) + "\n" for row in rows)


def set_mode(path: Path, mode: int) -> None:
    """Give a file or folder that this program has made the permissions of `mode`, on disks that have any."""
    if stat.S_IMODE(path.stat().st_mode) != stat.S_IMODE(mode):
        with suppress(OSError):
            path.chmod(stat.S_IMODE(mode))


def own_folder(path: str | Path) -> Path:
    """Make a folder for results below a folder that the user has named, if it is not there; returns it.

    Raises ValueError for a link: whoever has put it there would decide where the results are written.
    """
    path = Path(path)
    if path.is_symlink():
        raise ValueError(f"{path}: expected a folder, got a link: nothing is written through it (remove it)")
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Gives a temporary folder to write to, which is renamed to `path` at the end, or deleted after an error.

    Raises ValueError if `path` exists already, unless it is an empty folder.
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
    """Replaces the folder at `place` by the folder `new`, by renaming both, and then deletes the old one.

    If the program is killed between the two renames, both folders are still there under temporary names.
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
    """A new temporary name for `path`."""
    return path.with_name(f".{path.name}.{os.getpid()}-{token_hex(4)}.{ending}")


def left_beside(path: Path) -> list[Path]:
    """Files and folders under temporary names of `path`, sorted by name: a killed program has left them."""
    pattern = re.compile(rf"\.{re.escape(path.name)}\.\d+-[0-9a-f]{{8}}\.(tmp|old)")
    return sorted(p for p in path.parent.glob(".*") if pattern.fullmatch(p.name)) if path.parent.is_dir() else []


def remove_left(root: Path) -> None:
    """Delete all files under temporary names below a folder. No other program may be writing there."""
    for path in root.rglob(".*.tmp"):
        if _TEMPORARY.fullmatch(path.name) and path.is_file():
            path.unlink()


def flush(path: Path) -> None:
    """Waits until a file's content, or the list of a folder's files, is on the disk (fsync)."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
