"""A large file of records read by several processes at once; the result is that of one process.

Each process reads one span of the file. It sends Predictions as columns: objects take four times as long.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import fields
from multiprocessing.connection import Connection
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from utils.audit import Audit
from utils.prediction import Prediction
from utils.record_lines import WHOLE, Span
from utils.repeats import Repeats

MOST_PARTS, PART_BYTES = 2, 2**26
Columns = dict[str, list]


class Part(NamedTuple):
    """What was read in a span of a file."""

    predictions: list[Prediction]
    repeats: Repeats


def read_in_parts(path: Path, read: Callable[[Span], Part]) -> Part:
    """What `read` reads in the whole file: in spans of it at once if the file is large and there are cores for them.

    The first span is read here, the others by forks of this process. A span whose fork comes to no end is read here
    again: so an error is raised here, and it is the first one of the file.
    """
    first, *others = line_spans(path, number_of_parts(path))
    with ExitStack() as stack:
        begun = [stack.enter_context(_fork(read, span)) for span in others]
        whole = read(first)
        for span, answer in zip(others, begun, strict=True):
            part = _received(answer) or read(span)
            whole.predictions.extend(part.predictions)
            whole.repeats.extend(part.repeats)
    return whole


def number_of_parts(path: Path) -> int:
    """As many as are worth a process. Other systems than Linux do not tell the cores, and have one process."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    size = path.stat().st_size if path.is_file() else 0
    return max(1, min(MOST_PARTS, cores, size // PART_BYTES))


def line_spans(path: Path, number: int) -> list[Span]:
    """The file in at most so many spans of about the same size."""
    if number == 1:
        return [WHOLE]
    size, starts = path.stat().st_size, [0]
    with path.open("rb") as file:
        for part in range(1, number):
            file.seek(size * part // number)
            file.readline()
            starts.append(file.tell())
    starts = [start for start in dict.fromkeys(starts) if start < size or not start]
    return list(map(Span, starts, [*starts[1:], None]))


@contextmanager
def _fork(read: Callable[[Span], Part], span: Span) -> Iterator[Connection]:
    """A process that reads a span; it ends when it is no longer needed, or a little after this one was killed."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_read_and_send, args=(read, span, ours, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours
    finally:
        process.kill()
        process.join()
        ours.close()


def _read_and_send(read: Callable[[Span], Part], span: Span, ours: Connection, theirs: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the main process, which then ends this one
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    ours.close()
    with suppress(ValueError, BrokenPipeError):
        predictions, repeats = read(span)
        theirs.send((packed(predictions), repeats))


def _received(answer: Connection) -> Part | None:
    """None from a process that ended without an answer."""
    try:
        columns, repeats = answer.recv()
    except (EOFError, OSError):
        return None
    return Part(unpacked(columns), repeats)


def packed(predictions: list[Prediction]) -> dict[str, list | Columns]:
    """Predictions as {field: values}; Audits are columns, too."""
    columns = _columns(Prediction, predictions)
    return columns | {name: _columns(Audit, columns[name]) for name in ("true", "said")}


def unpacked(columns: dict[str, list | Columns]) -> list[Prediction]:
    """The other way round of `packed`."""
    audits = {name: list(map(Audit, *columns[name].values())) for name in ("true", "said")}
    return list(map(Prediction, *(columns | audits).values()))


def _columns(kind: type, rows: list) -> Columns:
    return {field.name: list(map(attrgetter(field.name), rows)) for field in fields(kind)}
