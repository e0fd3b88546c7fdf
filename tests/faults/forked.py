"""A program's `main(argv)` in a child process: it may crash, hang or grow, and the modules are imported once only."""

from __future__ import annotations

import logging
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

HANG, TRACEBACK = "hang", "traceback"


@dataclass(frozen=True)
class Outcome:
    """`code` is the exit code, HANG, TRACEBACK, or the negative number of the signal that ended the child."""

    code: int | str
    text: str  # stdout, stderr and log lines as they came
    seconds: float


def run_forked(work: Callable[[], int | None], log: Path, seconds: float = 60, memory_gb: float = 14) -> Outcome:
    """Call `work` in a child, whose output goes to the file `log`. It is killed after so many seconds."""
    start = time.monotonic()
    child = child_of(work, log, memory_gb)
    code = _wait(child, start + seconds)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # what it has left running
    text = log.read_text(encoding="utf-8", errors="surrogateescape")
    return Outcome(code, text, time.monotonic() - start)


def child_of(
    work: Callable[[], int | None], log: Path, memory_gb: float = 14, environment: dict[str, str] | None = None
) -> int:
    """The id of a child that calls `work`, and leads a process group of its own; nobody waits for it yet."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        os.environ |= environment or {}
        _be_the_child(work, log, memory_gb)
    return child


def killed_at(number: int, before: bool) -> None:
    """From here on, the process is killed at its `number`-th renaming of a file: before it, or after it.

    Renaming is how a whole file appears (`utils.whole_files`).
    """
    rename, seen = os.replace, 0

    def replace(*args, **flags):
        nonlocal seen
        seen += 1
        if seen == number and before:
            os.kill(os.getpid(), signal.SIGKILL)
        rename(*args, **flags)
        if seen == number:
            os.kill(os.getpid(), signal.SIGKILL)

    os.replace = os.rename = replace


def _be_the_child(work: Callable[[], int | None], log: Path, memory_gb: float) -> None:
    """Never returns. Exit code 99 stands for a traceback."""
    code = 99
    try:
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
        logging.getLogger().handlers.clear()  # the program sets up its own, on this stderr
        limit = int(memory_gb * 2**30)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        os.setsid()
        code = work() or 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _wait(child: int, until: float) -> int | str:
    pause = 0.001
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            return TRACEBACK if code == 99 else code
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return HANG
