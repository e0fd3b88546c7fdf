"""Files and folders that are never half written: they are written under a temporary name, then renamed."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any


@contextmanager
def whole_file(path: str | Path, scratch: Path | None = None) -> Iterator[Path]:
    """Gives a temporary path to write to; the file is renamed to `path` at the end, or deleted after an error.

    The temporary file stands beside `path`, or in the folder `scratch`, which must be on the same disk.
    """
    path = Path(path)
    folder = scratch or path.parent
    for needed in (path.parent, folder):
        needed.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{path.name}.{os.getpid()}-{token_hex(4)}.tmp"
    try:
        yield temporary
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


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Gives a temporary folder to write to, which is renamed to `path` at the end, or deleted after an error.

    Raises ValueError if `path` exists already, unless it is an empty folder.
    """
    path = path.resolve()
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise ValueError(f"{path}: expected a folder that is new or empty, got one with content or a file")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent))
    try:
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        if path.exists():
            path.rmdir()
        temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
