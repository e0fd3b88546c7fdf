"""run.json: what was run, with which versions, on which data. Written beside every result."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from utils.credentials import command_without_secrets, without_secrets
from utils.whole_files import write_json

PACKAGES = (
    "torch",
    "transformers",
    "peft",
    "accelerate",
    "deepspeed",
    "numpy",
    "opencv-python-headless",
    "pillow",
    "bitsandbytes",
)


def write_run_record(
    folder: str | Path,
    settings: dict,
    data_files: Iterable[Path],
    seed: int | None,
    counts: dict | None = None,
    resumed: list[dict] | None = None,
) -> None:
    """Write `run.json`: resolved settings, commit, versions, fingerprints of the data files, seed, and what counted.

    `resumed`: for each time that a run went on with other settings, the checkpoint and the changes.
    """
    record = {
        "command": command_without_secrets(sys.argv),
        "settings": without_secrets(settings),
        "seed": seed,
        "commit": _commit(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "counts": without_secrets(counts or {}),
        "data": {str(path): fingerprint(path) for path in data_files},
        **({"resumed": resumed} if resumed else {}),
    }
    Path(folder).mkdir(parents=True, exist_ok=True)
    write_json(Path(folder) / "run.json", record)


def read_resumed(folder: str | Path) -> list[dict]:
    """What the folder's `run.json` says of the changes of settings after which the run went on; empty without one."""
    try:
        found = json.loads((Path(folder) / "run.json").read_bytes())["resumed"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return []
    return found if isinstance(found, list) else []


def fingerprint(path: Path) -> str:
    """The first 16 hex digits of a file's SHA-256."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]


def _commit() -> str | None:
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
