"""Several processes of one run: what one of them does for all, and how they end together."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psutil

from utils.locks import only_one

T = TypeVar("T")

LOCK_NAME = ".training.lock"
PATIENCE = 10.0  # seconds: the processes of a run that was just killed may take a moment to end
LAUNCHERS = {"torchrun", "deepspeed", "accelerate", "torch.distributed.run", "torch.distributed.launch"}
LAUNCHERS |= {"deepspeed.launcher.launch", "deepspeed.launcher.runner", "scripts.processes"}
GLANCE = 0.5  # seconds between two looks at the launcher


class ToldElsewhere(Exception):
    """The work has failed for all processes; another one tells why."""


def on_first_rank(work: Callable[[], T]) -> T:
    """What `work` gives on the first process, on every process. If it fails there, it fails everywhere."""
    return _shared(work, rank() == 0)[0]


def on_every_rank(work: Callable[[], T]) -> T:
    """What `work` gives on this process. If it fails on one process, it fails everywhere.

    The work must not wait for other processes itself, for those may have failed.
    """
    return _shared(work, True)[rank()]


def once_a_node(work: Callable[[], T]) -> list[T]:
    """What `work` gives on the first process of each node, on every process.

    If it fails on one of them, it fails everywhere. Nodes may have disks of their own, so what is true of the files of
    one need not be true on another.
    """
    return _shared(work, int(os.environ.get("LOCAL_RANK", "0")) == 0)


@contextmanager
def told_once() -> Iterator[None]:
    """For work that fails on all processes alike: only the first one tells."""
    try:
        yield
    except (OSError, ValueError, ImportError):
        if rank() != 0:
            raise ToldElsewhere from None
        raise


@contextmanager
def only_run(folder: str | Path) -> Iterator[None]:
    """Let no other run train into `folder`. Raises ValueError, on every process, that names the one which does."""
    with ExitStack() as held:

        def take() -> None:
            held.enter_context(only_one(Path(folder) / LOCK_NAME, "training", wait=PATIENCE))

        on_first_rank(take)
        yield


def _shared(work: Callable[[], T], here: bool) -> list[T]:
    """The results of all processes on which `here` is true, in their order."""
    if world_size() == 1:
        return [work()]
    import torch  # several processes have it already

    result: T | None = None
    error: Exception | None = None
    if here:
        try:
            result = work()
        except (OSError, ValueError, ImportError) as failed:
            error = failed
    outcomes: list[Any] = [None] * world_size()
    torch.distributed.all_gather_object(outcomes, (here, error is not None, result))
    if error is not None:
        raise error
    if any(failed for _, failed, _ in outcomes):
        raise ToldElsewhere
    return [own for worked, _, own in outcomes if worked]


def rank() -> int:
    """The number of this process among all of the run; 0 where there is only one."""
    import torch

    return torch.distributed.get_rank() if torch.distributed.is_initialized() else 0


def world_size() -> int:
    """How many processes the run has."""
    import torch

    return torch.distributed.get_world_size() if torch.distributed.is_initialized() else 1


def end_with_launcher() -> None:
    """End this process when the launcher that has started it ends, even by kill -9.

    Otherwise it would train on, beside the run that is started again. A launcher above that one (DeepSpeed has two) is
    no parent of this process, so its end counts as SIGTERM: the step is saved.
    """
    if launchers := find_launchers():
        threading.Thread(target=_watch, args=launchers, daemon=True, name="launcher watch").start()


def find_launchers() -> list[psutil.Process]:
    """The processes above this one that are launchers, the nearest first."""
    found = []
    for process in psutil.Process().parents():
        try:
            words = process.cmdline()
        except psutil.Error:
            continue
        is_python = bool(words) and Path(words[0]).name.startswith("python")
        if is_python and any(Path(word).name in LAUNCHERS for word in words[1:5]):
            found.append(process)
    return found


def _watch(nearest: psutil.Process, *others: psutil.Process) -> None:
    while all(_lives(process) for process in (nearest, *others)):
        time.sleep(GLANCE)
    if _lives(nearest):
        os.kill(os.getpid(), signal.SIGTERM)
    while _lives(nearest):
        time.sleep(GLANCE)
    os.write(2, b"the launcher of this process has ended, so it ends, too\n")
    os._exit(1)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
