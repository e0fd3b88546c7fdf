"""One program at a time in a folder: a lock that the operating system takes back when its holder ends in any way.

No clock decides anything and nothing has to be cleaned up: after kill -9 the next program gets the lock. On a disk that
several hosts share, the lock holds between them if the file system carries POSIX locks (NFS and Lustre do).
"""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

logger = logging.getLogger(__name__)

NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
_held: set[Path] = set()  # by this process: a POSIX lock does not keep its own process out


@contextmanager
def only_one(path: str | Path, task: str, wait: float = 0.0) -> Iterator[None]:
    """Hold the lock file `path` for as long as the block runs. `task` says what may be done once at a time only.

    The file stays. Processes that are forked in the block, such as the workers of a DataLoader, do not hold the lock.
    Raises ValueError that names the holder if it is not free within `wait` seconds. On a file system without locks the
    block runs after a warning.
    """
    path = Path(path).absolute()
    if path in _held:
        raise ValueError(f"{path}: expected no other {task} at the same time, got one in this process")
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = _open(path)
    try:
        _take(handle, path, task, wait)
        _held.add(path)
        os.truncate(handle, 0)
        os.pwrite(handle, json.dumps({"process": os.getpid(), "host": socket.gethostname()}).encode(), 0)
        yield
    finally:
        _held.discard(path)
        os.close(handle)  # gives the lock back


def _open(path: Path) -> int:
    """Opened for writing; a new file may be locked by other users of the folder too. A link is not followed."""
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        handle = os.open(path, flags | os.O_CREAT, 0o666)
        if os.fstat(handle).st_uid == os.getuid():
            os.fchmod(handle, 0o666)
        return handle


def _take(handle: int, path: Path, task: str, wait: float) -> None:
    end, told = time.monotonic() + wait, False
    while True:
        try:
            return fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in NO_LOCKS:
                logger.warning("%s: the file system has no locks: run one %s at a time yourself", path, task)
                return None
            if error.errno not in (errno.EACCES, errno.EAGAIN):
                raise
        if time.monotonic() >= end:
            raise ValueError(f"{path}: expected no other {task} at the same time, got {_holder(handle)}")
        if not told:
            logger.warning("%s: waiting up to %.0f s for %s", path, wait, _holder(handle))
            told = True
        time.sleep(0.2)


def _holder(handle: int) -> str:
    try:
        who = json.loads(os.pread(handle, 1000, 0))
        return f"process {int(who['process'])} on {who['host']!r}"
    except (ValueError, TypeError, KeyError):
        return "another process"
