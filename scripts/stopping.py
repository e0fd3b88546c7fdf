"""SIGTERM and Ctrl-C: a program ends with a sentence, a training first saves what it has."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


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
def _handled_by(handler) -> Iterator[None]:
    """Signals can be handled in the main thread only; elsewhere everything stays as it is."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in SIGNALS}
    try:
        yield
    finally:
        for number, own in before.items():
            signal.signal(number, own)


def leave_signals_to_the_main_process(worker: int) -> None:
    """For a DataLoader's workers, which may get the same signals and would end in the middle of a step."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
