"""Disks that fill up while something is written: a sentence that names the file, and after making room it goes on."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.scenario import Counts, Options, scenario
from tests.faults.scenarios.evaluation import LONGEST, undisturbed, wait

SIZES = range(4, 48, 4)  # kilobytes; a finished run takes more than that
ROOM = 4_000


@scenario("evaluation: full disks")
def full_disks(options: Options) -> Counts:
    """Disks of so many sizes that one fills up at each write; with more room the same folder is finished."""
    run = undisturbed(options)
    place = options.folder / "disk"
    for size in SIZES[:: max(1, len(SIZES) // options.kills)] if options.kills else ():
        with disk(place, size) as is_there:
            if not is_there:
                print("evaluation: full disks: a tmpfs cannot be mounted here, so nothing is tried", file=sys.stderr)
                break
            run.counts.cases += 1
            run.output = place / "out"
            (code,) = (wait(process, time.monotonic() + LONGEST) for process in run.start(1))
            if code != 2 or "No space left on device: '" not in run.said():
                run.counts.tell(
                    "unclear", f"{size} kB: expected 2 and a sentence with a file, got {code}: {run.said()}"
                )
            mount("-o", f"remount,size={ROOM}k", str(place))
            run.finish(run.rng.choice((1, 2)))
    return run.counts


@contextmanager
def disk(place: Path, kilobytes: int) -> Iterator[bool]:
    """A disk of this size at `place`; gives False where none can be mounted."""
    place.mkdir(exist_ok=True)
    is_there = mount("-t", "tmpfs", "-o", f"size={kilobytes}k", "none", str(place))
    try:
        yield is_there
    finally:
        if is_there:
            subprocess.run(["umount", "-l", place], check=True)


def mount(*arguments: str) -> bool:
    return subprocess.run(["mount", *arguments], capture_output=True).returncode == 0
