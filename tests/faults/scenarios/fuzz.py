"""Files changed by chance, read by every reader: no crash, no hang."""

from __future__ import annotations

import logging
import shutil
import signal
import warnings
from contextlib import contextmanager

from tests.faults.fuzz import READERS, fuzz, write_more
from tests.faults.material import make_material
from tests.faults.scenario import Counts, Options, scenario

MOST_SECONDS = 30  # of one reader on one file, on a busy machine


class Hang(BaseException):
    """A reader takes too long."""


@scenario("fuzz")
def changed_files(options: Options) -> Counts:
    """Files changed by chance: every reader accepts one or refuses it with an error of its own."""
    root, counts = make_material(options.folder / "material"), Counts()
    write_more(root)
    own_parts = shutil.copytree(root / "parts", options.folder / "parts")
    (root / "parts").unlink()
    (root / "parts").symlink_to(own_parts)
    logging.disable(logging.CRITICAL)
    try:
        for reader in READERS:
            number = max(1, round(options.fuzz * reader.share))
            counts.cases += number
            with warnings.catch_warnings(action="ignore"), _alarm(MOST_SECONDS * number):
                for case, error in fuzz(reader, root, number, options.seed):
                    kind = "stuck" if isinstance(error, Hang) else "unclear"
                    counts.tell(kind, f"{reader.name}: case {case}: {type(error).__name__}: {str(error)[:160]}")
    finally:
        logging.disable(logging.NOTSET)
    return counts


@contextmanager
def _alarm(seconds: int):
    def ring(*_):
        raise Hang(f"over {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
