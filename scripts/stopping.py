"""SIGTERM and Ctrl-C: a program ends with a sentence, a training first saves what it has."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)
STUCK = 120.0  # seconds within one call of a library, such as waiting for a process that is gone
HANDLED, END = 0, 255  # no numbers of signals


class Stopped(Exception):
    """A signal ends the program; the message says what is kept."""

    def __init__(self, signum: int, kept: str = ""):
        name = "the keyboard" if signum == signal.SIGINT else signal.Signals(signum).name
        super().__init__(f"stopped by {name}{kept}")
        self.signum = signum


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Inside, SIGTERM and Ctrl-C raise Stopped at once."""

    def stop(signum: int, frame: FrameType | None) -> None:
        raise Stopped(signum)

    with _handled_by(stop):
        yield


class NotedSignals:
    """Inside `with noted:`, SIGTERM and Ctrl-C are only noted in `signum` (0: none).

    The same again raises Stopped, if `patient` is not set. Under a launcher it should be, because Ctrl-C then comes
    twice: from the terminal and from the launcher.
    """

    def __init__(self, patient: bool):
        self.patient, self.signum = patient, 0

    @contextmanager
    def noting(self) -> Iterator[None]:
        with _handled_by(self._note):
            yield

    def _note(self, signum: int, frame: FrameType | None) -> None:
        if self.signum and not self.patient:
            raise Stopped(signum)
        self.signum = signum


@contextmanager
def _handled_by(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Signals can be handled in the main thread only; elsewhere everything stays as it is."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with _StuckWatch() as watch:
        before = {number: signal.signal(number, watch.telling(handler)) for number in SIGNALS}
        try:
            yield
        finally:
            for number, own in before.items():
                signal.signal(number, own)


class _StuckWatch:
    """Ends the process if a signal finds it in a call that does not come back to Python for STUCK seconds.

    Python calls handlers between its own steps only. Its C code writes the number of each signal into a pipe at once;
    the handler writes HANDLED behind it. A thread reads both.
    """

    def __enter__(self) -> _StuckWatch:
        self.source, self.target = os.pipe()
        os.set_blocking(self.target, False)
        self.before = signal.set_wakeup_fd(self.target, warn_on_full_buffer=False)
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        signal.set_wakeup_fd(self.before)
        os.write(self.target, bytes([END]))

    def telling(self, handler: Callable) -> Callable:
        """The handler, which also tells the thread that it was called."""

        def handle(signum: int, frame: FrameType | None) -> None:
            os.write(self.target, bytes([HANDLED]))
            handler(signum, frame)

        return handle

    def _watch(self) -> None:
        waiting, until = 0, 0.0  # for a handler of this signal, at most until then
        while True:
            patience = max(0.0, until - time.monotonic()) if waiting else None
            if not select.select([self.source], [], [], patience)[0]:
                name = signal.Signals(waiting).name
                print(f"stopped by {name}, in a call that did not return for {STUCK:g} s", file=sys.stderr, flush=True)
                os._exit(128 + waiting)
            got = os.read(self.source, 1)[0]
            if got == END:
                break
            if got == HANDLED:
                waiting = 0
            elif got in SIGNALS and not waiting:
                waiting, until = got, time.monotonic() + STUCK
        os.close(self.source)
        os.close(self.target)


def _forget_signals_of_the_parent() -> None:
    with suppress(ValueError):  # not the main thread
        signal.set_wakeup_fd(-1)


os.register_at_fork(after_in_child=_forget_signals_of_the_parent)


def leave_signals_to_the_main_process(worker: int) -> None:
    """For a DataLoader's workers, which may get the same signals and would end in the middle of a step."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
