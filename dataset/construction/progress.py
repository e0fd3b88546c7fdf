"""The state of a build on disk, so that an interrupted build can be continued.

While a build runs, the folder `.building/` holds what is done so far. At the end this folder is removed. The file
`build_report.json` shows that the benchmark is complete.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from utils.locks import only_one
from utils.whole_files import own_folder, write_bytes

PROGRESS_DIR = ".building"
REPORT = "build_report.json"
OWN_FOLDERS = ("masks", "media", "train_test_meta_files")


def is_built(root: Path, run: dict) -> bool:
    """Whether the folder holds this build, complete. If it does not, the build can be started or continued there.

    `run` holds everything that decides the result: source, settings, seed. Raises ValueError when the folder holds
    another build or other files.
    """
    run = json.loads(json.dumps(run))
    report, begun = root / REPORT, root / PROGRESS_DIR / "run.json"
    if report.is_file():
        _expect_same(root, _read_run(report, "run"), run, "a benchmark that was built")
        shutil.rmtree(root / PROGRESS_DIR, ignore_errors=True)  # left when a build was killed at its very end
        return True
    if begun.is_file():
        _expect_same(root, _read_run(begun), run, "a benchmark that was begun")
    elif root.exists() and any(path.name != PROGRESS_DIR for path in root.iterdir()):
        raise ValueError(f"{root}: expected an empty or new folder to build in, got one with other files")
    return False


@contextmanager
def building(root: Path, run: dict) -> Iterator[None]:
    """Start or continue a build; no other build may run in the folder at the same time.

    At the end `.building/` is removed. After an error it stays, so that the next run can continue. Raises ValueError
    while another build is running in this folder.
    """
    own_folder(root / PROGRESS_DIR)
    with only_one(root / PROGRESS_DIR / "lock", "build"):
        write_whole(root, f"{PROGRESS_DIR}/run.json", json.dumps(run).encode())
        for folder in OWN_FOLDERS:
            own_folder(root / folder)
        yield
        shutil.rmtree(root / PROGRESS_DIR, ignore_errors=True)


def _read_run(path: Path, key: str | None = None) -> dict:
    """What decided an earlier result. Raises ValueError when the file does not say it."""
    try:
        content = json.loads(path.read_bytes())
        run = content if key is None else content[key]
    except (ValueError, KeyError, TypeError, RecursionError):
        run = None
    if not isinstance(run, dict):
        raise ValueError(f"{path}: expected the settings of an earlier build, got something else")
    return run


def _expect_same(root: Path, found: dict, run: dict, what: str) -> None:
    differing = [key for key in run | found if run.get(key) != found.get(key)]
    if differing:
        pairs = "; ".join(f"{key} {found.get(key)!r}, now {run.get(key)!r}" for key in differing)
        raise ValueError(f"{root}: expected an empty or new folder, got {what} otherwise: {pairs}")


def write_whole(root: Path, where: str | Path, content: bytes) -> None:
    """Write a file below the root so that it never appears half written. A file with this content is left as it is."""
    path = root / where
    if path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content:
        return
    write_bytes(path, content, scratch=root / PROGRESS_DIR / "scratch")
