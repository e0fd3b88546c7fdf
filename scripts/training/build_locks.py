"""Locks that a killed build of DeepSpeed's C++ parts leaves behind.

DeepSpeed compiles these parts at their first use, into torch's folder of extensions. While one process compiles, a file
`lock` keeps the others waiting. If that process is killed, the file stays, and torch waits for it without end and
without a word.
"""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

from torch.utils.cpp_extension import get_default_build_root

logger = logging.getLogger("finetune")

STALE_SECONDS = 600  # these builds take one to three minutes, and files change all the while


def wait_for_builds(pause: float = 2.0) -> None:
    """Wait until nobody compiles any more. A lock in whose folder nothing has changed for ten minutes is removed."""
    for lock in _locks():
        told = False
        while lock.exists():
            quiet = _quiet_seconds(lock.parent)
            if quiet > STALE_SECONDS:
                logger.warning("%s: removed. It was left by a build that was killed %.0f minutes ago", lock, quiet / 60)
                lock.unlink(missing_ok=True)
            elif not told:
                logger.warning("%s: waiting for the process that compiles there. If there is none, delete it", lock)
                told = True
            else:
                time.sleep(pause)


def _locks() -> list[Path]:
    root = Path(os.environ.get("TORCH_EXTENSIONS_DIR") or get_default_build_root())
    return sorted([*root.glob("*/lock"), *root.glob("*/*/lock")])


def _quiet_seconds(folder: Path) -> float:
    """Seconds since the newest change of a file in the folder."""
    times = []
    for path in folder.iterdir():
        try:
            times.append(path.stat().st_mtime)
        except FileNotFoundError:  # a compiler's temporary file
            continue
    return time.time() - max(times, default=0.0)
