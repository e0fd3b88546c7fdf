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

import psutil
from torch.utils.cpp_extension import get_default_build_root

logger = logging.getLogger("finetune")

STALE_SECONDS = 600  # these builds take one to three minutes, and files change all the while
LEFT_SECONDS = 60  # the same, where no process of this machine has the lock open: whoever builds keeps it open
OWN_DISKS = ("ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay")  # not shared with other machines


def wait_for_builds(pause: float = 2.0) -> None:
    """Wait until nobody compiles any more. A lock in whose folder nothing has changed for ten minutes is removed.

    One minute is enough for a lock of this user on a disk of this machine that no process has open.
    """
    for lock in _locks():
        told = False
        while lock.exists():
            quiet = _quiet_seconds(lock.parent)
            if quiet > STALE_SECONDS or (quiet > LEFT_SECONDS and _is_left(lock)):
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


def _is_left(lock: Path) -> bool:
    """Whether it is certain that nobody has the lock open: it is on this machine alone, and of this user."""
    places = {part.mountpoint: part.fstype for part in psutil.disk_partitions(all=True)}
    disk = next((places[str(folder)] for folder in lock.resolve().parents if str(folder) in places), None)
    try:
        if disk not in OWN_DISKS or lock.stat().st_uid != os.getuid():
            return False
    except FileNotFoundError:
        return False
    return all(str(lock.resolve()) not in _open_files(process) for process in psutil.process_iter())


def _open_files(process: psutil.Process) -> list[str]:
    """Of another user's process: none, for it cannot be seen, and need not."""
    try:
        return [file.path for file in process.open_files()]
    except (psutil.Error, OSError):
        return []


def _quiet_seconds(folder: Path) -> float:
    """Seconds since the newest change of a file in the folder."""
    times = []
    for path in folder.iterdir():
        try:
            times.append(path.stat().st_mtime)
        except FileNotFoundError:  # a compiler's temporary file
            continue
    return time.time() - max(times, default=0.0)
