"""What programs print: control codes from data, file names or a model never reach a terminal.

A name or an answer may hold codes that clear the screen, retitle the window, or show other text than there is. While a
program runs, everything that it prints or logs goes through here; so do the messages of libraries.
"""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TextIO

from utils.formatting import printable

_TO_A_BAR = re.compile(r"\n*(\x1b\[A)*")  # how a progress bar below another one goes to its line, and back


class CleanStream:
    """A text stream that writes to another one what is `printable`."""

    def __init__(self, stream: TextIO):
        self._stream = stream

    def write(self, text: str) -> int:
        begin = "\r" * text.startswith("\r")  # how a progress bar begins its line again
        shown = text if _TO_A_BAR.fullmatch(text) else begin + printable(text[len(begin) :].replace("\r\n", "\n"))
        encoding = self._stream.encoding or "utf-8"
        self._stream.write(shown.encode(encoding, "backslashreplace").decode(encoding))
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str):
        return getattr(self._stream, name)


def print_cleaned(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """For sys.excepthook: the traceback of an error that nothing has caught."""
    CleanStream(sys.stderr).write("".join(traceback.format_exception(kind, error, trace)))


@contextmanager
def clean_streams() -> Iterator[None]:
    """Within the block, sys.stdout and sys.stderr are clean."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (s if s is None or isinstance(s, CleanStream) else CleanStream(s) for s in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
