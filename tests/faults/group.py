"""The processes of one run, each a fork of this one that is told its rank, as a launcher tells it; and their ends."""

from __future__ import annotations

import os
import random
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

from tests.faults.forked import HANG, child_of


def start_group(
    work: Callable[[], int | None], processes: int, log: Callable[[int], Path], memory_gb: float = 14
) -> list[int]:
    """The ids of the new processes; each is the leader of its own group. `log`: rank -> the file of its output."""
    if processes == 1:
        return [child_of(work, log(0), memory_gb)]
    shared = group_environment(processes)
    return [
        child_of(work, log(rank), memory_gb, shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)})
        for rank in range(processes)
    ]


def group_environment(processes: int) -> dict[str, str]:
    """What torchrun tells all of its processes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    sizes = {"WORLD_SIZE": str(processes), "LOCAL_WORLD_SIZE": str(processes)}
    return sizes | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}


def kill_group(ids: list[int], rng: random.Random, seconds: float) -> list:
    """kill -9 of a random process; then, as a launcher would, the others are ended. The exit codes, see `wait`."""
    victim = rng.choice(ids)
    send(victim, signal.SIGKILL)
    for process in ids:
        if process != victim:
            send(process, rng.choice((signal.SIGKILL, signal.SIGTERM)))
    return wait_for_all(ids, seconds)


def is_running(process: int) -> bool:
    return os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def send(process: int, number: signal.Signals) -> None:
    """To the process and its children; it may have ended, or not be the leader of its group yet."""
    try:
        os.killpg(process, number)
    except ProcessLookupError:
        os.kill(process, number)


def wait_for_all(ids: list[int], seconds: float) -> list:
    """The exit codes of processes that may take so long together."""
    until = time.monotonic() + seconds
    return [wait(process, until) for process in ids]


def wait(process: int, until: float) -> int | str:
    """The exit code, or HANG for a process that had to be killed."""
    while is_running(process):
        if time.monotonic() > until:
            os.killpg(process, signal.SIGKILL)
            os.waitpid(process, 0)
            return HANG
        time.sleep(0.01)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
