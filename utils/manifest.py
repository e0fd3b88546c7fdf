"""Folders of files that belong together, such as a model: manifest.json lists them, and they are compared with it.

manifest.json: {"format": FORMAT, "files": {name: {"bytes": size, "sha256": 64 hex digits}}}
A training checkpoint's has two more keys, "step" and "settings" (`scripts.training.checkpoints`).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path

from utils.whole_files import flush, left_beside, name_beside, naming, set_mode, swap_folder, write_bytes, write_json

MANIFEST, FORMAT = "manifest.json", "sizes and digests 1"
_REASON = "the folder was changed, or its writing was cut off"


@contextmanager
def whole_parts(folder: str | Path, kinds: Sequence[str]) -> Iterator[Path]:
    """Gives a temporary folder to write to; at the end its files, with a manifest, replace those in `folder`.

    `kinds` are patterns of file names: files in `folder` that match one are replaced or deleted. Other files stay, and
    so does what an earlier manifest says about them.

    If `folder` holds no other files, it is replaced by renaming: a killed program leaves the old folder or the new one.
    Otherwise the new manifest is moved into it first, then each file: after a kill in between, `check_manifest` refuses
    the folder. After an error in the block nothing is changed.
    """
    folder = Path(folder).resolve()
    staged = name_beside(folder if _may_be_replaced(folder, kinds) else folder / "parts")
    staged.mkdir(parents=True)
    try:
        with naming(folder):
            yield staged
            kept = {name: entry for name, entry in _kept_entries(folder, kinds).items() if name not in _files(staged)}
            _write_manifest(staged, kept)
            for path in filter(Path.is_file, staged.rglob("*")):
                set_mode(path, (staged / MANIFEST).stat().st_mode)  # some libraries make files for their owner only
            _flush_all(staged)
            if not _replace_folder(staged, folder, kinds):
                _replace_files(staged, folder, kinds)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def seal_folder(folder: Path, **facts: object) -> None:
    """Lists every file of a finished folder in its manifest, with `facts` beside, and waits until all is on the disk.

    What a manifest in it says already is kept: those files are not read again.
    """
    _write_manifest(folder, read_manifest(folder) or {}, **facts)
    _flush_all(folder)


def put_file(folder: Path, name: str, content: bytes) -> None:
    """Writes one more file of a sealed folder, or another one of that name, and lists it in the manifest, if any.

    After a kill in between `check_manifest` refuses the file.
    """
    write_bytes(folder / name, content)
    facts = read_facts(folder)
    if facts is not None:
        entry = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        write_json(folder / MANIFEST, facts | {"files": facts["files"] | {name: entry}})
    flush(folder)


def check_manifest(folder: str | Path, kinds: Sequence[str] = ()) -> None:
    """Compares the files of a folder with its manifest. A folder without a manifest of our format is not checked.

    With `kinds`, patterns of file names, only those files are compared. Raises FileNotFoundError for a missing file;
    ValueError for a file of another size or digest, and for a file that matches one of `kinds` but is not listed.
    Someone who has changed a file on purpose can delete manifest.json.
    """
    entries = read_manifest(folder)
    if entries is None:
        return
    if kinds:
        if more := sorted(_of_kinds(Path(folder), kinds) - entries.keys()):
            got = f"expected only files that {MANIFEST} names, got {', '.join(more)} too"
            raise ValueError(f"{folder}: {got}: {_REASON}")
        entries = {name: entry for name, entry in entries.items() if _is_of_kinds(name, kinds)}
    for name, entry in entries.items():
        _check_size(Path(folder) / name, entry["bytes"])
    for name, got in _digests(Path(folder), entries):
        if got != entries[name]["sha256"]:
            expected = f"expected a file whose SHA-256 begins with {entries[name]['sha256'][:12]}, as {MANIFEST} says"
            raise ValueError(f"{Path(folder) / name}: {expected}, got {got[:12]}: {_REASON}")


def has_its_files(folder: str | Path) -> bool:
    """Whether the folder has a manifest, and all files of it in their sizes. Digests are not compared."""
    try:
        entries = read_manifest(folder)
        for name, entry in (entries or {}).items():
            _check_size(Path(folder) / name, entry["bytes"])
    except (OSError, ValueError):
        return False
    return entries is not None


def read_manifest(folder: str | Path) -> dict[str, dict] | None:
    """File name -> {"bytes", "sha256"}; None if there is no manifest of our format. ValueError as `read_facts`."""
    content = read_facts(folder)
    return content and content["files"]


def read_facts(folder: str | Path) -> dict | None:
    """All that the manifest says; None if there is none, or if it is another program's manifest.json.

    Raises ValueError if it is no JSON, or one of ours that was changed.
    """
    path = Path(folder) / MANIFEST
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: expected sizes and digests as JSON, got something else ({error})") from error
    signs = [isinstance(content, dict) and content.get("format") == FORMAT, _has_entries(content)]
    if any(signs) and not all(signs):
        raise ValueError(f"{path}: expected files with sizes and digests ({FORMAT}), got something else: {_REASON}")
    return content if all(signs) else None


def _has_entries(content: object) -> bool:
    """Whether this looks like the content of our manifests."""
    files = content.get("files") if isinstance(content, dict) else None
    return isinstance(files, dict) and all(
        isinstance(entry, dict) and isinstance(entry.get("bytes"), int) and isinstance(entry.get("sha256"), str)
        for entry in files.values()
    )


def digest(path: Path) -> str:
    """The SHA-256 of a file, as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digests(folder: Path, names: Iterable[str]) -> list[tuple[str, str]]:
    """(name, digest) of files, several at a time: hashing leaves other threads running."""
    names = list(names)
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        return list(zip(names, pool.map(digest, [folder / name for name in names]), strict=True))


def _flush_all(folder: Path) -> None:
    """Waits until a folder and all below it are on the disk."""
    for path in folder.rglob("*"):
        flush(path)
    flush(folder)


def _check_size(path: Path, size: int) -> None:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; {MANIFEST} says that it has {size} bytes: {_REASON}")
    if (got := path.stat().st_size) != size:
        raise ValueError(f"{path}: expected {size} bytes, as {MANIFEST} says, got {got}: {_REASON}")


def _write_manifest(folder: Path, known: dict[str, dict], **facts: object) -> None:
    """Lists the files of a folder that are not known yet, behind those that are."""
    names = sorted(_files(folder) - known.keys() - {MANIFEST})
    entries = {name: {"bytes": (folder / name).stat().st_size, "sha256": got} for name, got in _digests(folder, names)}
    write_json(folder / MANIFEST, {"format": FORMAT, **facts, "files": known | entries})


def _kept_entries(folder: Path, kinds: Sequence[str]) -> dict[str, dict]:
    """The entries of an earlier manifest that are about files of other kinds."""
    entries = read_manifest(folder) or {}
    return {name: entry for name, entry in entries.items() if not _is_of_kinds(name, kinds)}


def _may_be_replaced(folder: Path, kinds: Sequence[str]) -> bool:
    """Whether the folder is missing or holds only files of these kinds, and can be renamed."""
    parent = folder.parent
    if folder.is_mount() or (parent.is_dir() and not os.access(parent, os.W_OK)):
        return False
    return not folder.exists() or _files(folder) <= _of_kinds(folder, kinds) | {MANIFEST}


def _replace_folder(staged: Path, folder: Path, kinds: Sequence[str]) -> bool:
    """Renames `staged` to `folder`; returns False if `folder` holds other files.

    During distributed training another process may write its first file at this moment.
    """
    try:
        staged.rename(folder)  # goes well where nothing is there, or an empty folder
    except OSError:
        if not _may_be_replaced(folder, kinds):
            return False
        swap_folder(staged, folder)
    flush(folder.parent)
    _remove(left_beside(folder))
    return True


def _replace_files(staged: Path, folder: Path, kinds: Sequence[str]) -> None:
    names = _files(staged)
    (staged / MANIFEST).replace(folder / MANIFEST)
    flush(folder)
    for name in sorted(names - {MANIFEST}):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (staged / name).replace(folder / name)
    for name in _of_kinds(folder, kinds) - names:
        (folder / name).unlink()
    flush(folder)
    _remove(left_beside(folder / "parts"))


def _files(folder: Path) -> set[str]:
    """The names of all files below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def _of_kinds(folder: Path, kinds: Sequence[str]) -> set[str]:
    """The names of the files directly in a folder that one of the patterns fits."""
    if not folder.is_dir():
        return set()
    files = (path.name for path in folder.iterdir() if path.is_file() and path.name != MANIFEST)
    return {name for name in files if _is_of_kinds(name, kinds)}


def _is_of_kinds(name: str, kinds: Sequence[str]) -> bool:
    return "/" not in name and any(fnmatch(name, kind) for kind in kinds)


def _remove(folders: list[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
