"""The steps of scripts/quickstart.sh, killed at any moment and started again."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from scripts.benchmark import build, draw_world
from tests.faults.forked import killed_at, run_forked
from tests.faults.scenario import Counts, Options, scenario
from tests.scenes import write_source

ROOT = Path(__file__).parents[3]
WORLD = ["--num_train", "1", "--num_test_s", "1", "--num_test_u", "1", "--num_workers", "1"]
MANY = 10  # kills from which the whole quickstart is tried: it takes minutes


@scenario("killed drawing")
def killed_drawing(options: Options) -> Counts:
    """Drawing a world is killed at any of its last writes, and the next start ends in the same files."""
    return kill_each(options, lambda folder: draw_world.main([*WORLD, "--output", str(folder)]), last=8)


@scenario("killed build")
def killed_build(options: Options) -> Counts:
    """Building a benchmark is killed at any of its writes, and the next start ends in the same files."""
    source = write_source(options.folder / "source")
    argv = ["--source_dir", str(source), "--num_workers", "1", "--output_dir"]
    return kill_each(options, lambda folder: build.main([*argv, str(folder)]), last=None)


def kill_each(options: Options, work: Callable[[Path], int], last: int | None) -> Counts:
    """`work` writes a folder. It is killed at several of its renamings; `last`: only at one of so many last ones."""
    counts, rng = Counts(), random.Random(options.seed)
    undisturbed, log = options.folder / "undisturbed", options.folder / "printed.txt"
    outcome = run_forked(lambda: counting(lambda: work(undisturbed), options.folder / "number"), log, seconds=300)
    if outcome.code != 0:
        counts.tell("unclear", f"undisturbed: {outcome.code}: {outcome.text[-300:]}")
        return counts
    folder = options.folder / "killed"
    right, number = content(undisturbed), int((options.folder / "number").read_text())
    for _ in range(options.kills):
        if options.is_over:
            break
        counts.cases += 1
        at, before = rng.randint(1, number), rng.random() < 0.5
        at = at if last is None else max(1, number - at % last)
        shutil.rmtree(folder, ignore_errors=True)
        where = f"killed {'before' if before else 'after'} renaming {at} of {number}"
        killed = run_forked(lambda at=at, before=before: killed_at(at, before) or work(folder), log, seconds=300)
        if killed.code != -signal.SIGKILL:
            counts.tell("unclear", f"{where}: expected to be killed, got {killed.code}: {killed.text[-300:]}")
        again = run_forked(lambda: work(folder), log, seconds=300)
        if again.code != 0:
            counts.tell("stuck", f"{where}: {again.code}: {again.text[-300:]}")
        elif content(folder) != right:
            counts.tell("different", f"{where}: {sorted(right.items() ^ content(folder).items())[:3]}")
    return counts


def counting(work: Callable[[], int], where: Path) -> int:
    """Call `work`, and write to a file how often it renames one."""
    rename, seen = os.replace, 0

    def replace(*args, **flags):
        nonlocal seen
        seen += 1
        rename(*args, **flags)

    os.replace = os.rename = replace
    code = work()
    where.write_text(str(seen))
    return code


def content(folder: Path) -> dict[str, str]:
    """File name -> digest, of all files but those that name times or folders."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "run.json"]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@scenario("killed quickstart")
def killed_quickstart(options: Options) -> Counts:
    """scripts/quickstart.sh at small size is killed every few seconds until it ends (only with --kills 10 or more)."""
    counts = Counts()
    if options.kills < MANY:
        return counts
    rng, results = random.Random(options.seed), options.folder / "results"
    videos = {"VIDEO_MODE_VIDEOS": 1, "TRAIN_VIDEOS": 12, "TEST_VIDEOS": 2, "VALIDATION_VIDEOS": 1}
    sizes = videos | {"HEAD_STEPS": 10, "FINETUNE_STEPS": 60}
    environment = os.environ | {name: str(value) for name, value in sizes.items()} | {"RESULTS": str(results)}
    for number in range(options.kills):
        code, text = run_for(environment, options.folder / "printed.txt", seconds=rng.uniform(3, 25))
        if code == 0:
            break
        counts.cases += 1
        if code is not None:
            counts.tell("stuck", f"start {number + 1}: exit code {code}: {text[-400:]}")
            return counts
    code, text = run_for(environment, options.folder / "printed.txt", seconds=1800)
    if code != 0 or not (results / "summary.json").is_file():
        counts.tell("stuck", f"the last start: exit code {code}: {text[-400:]}")
    return counts


def run_for(environment: dict[str, str], log: Path, seconds: float) -> tuple[int | None, str]:
    """(exit code, what was printed) of the quickstart; it is killed with all its processes after so many seconds.

    The exit code is None then.
    """
    command, end = ["bash", "scripts/quickstart.sh"], time.monotonic() + seconds
    with log.open("w") as file:
        started = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
        )
        while started.poll() is None and time.monotonic() < end:
            time.sleep(0.1)
        code = started.poll()
        if code is None:
            os.killpg(started.pid, signal.SIGKILL)
            started.wait()
    return code, log.read_text(errors="replace")
