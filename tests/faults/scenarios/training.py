"""Training that is killed, stopped by signals or left by its launcher: it goes on, to the same weights.

With few kills only one process is killed. From 4 on signals are sent, too, and two processes train with DDP; from 8 on
also with ZeRO-2.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

import psutil

from scripts.training.checkpoints import SCRATCH
from tests.faults.scenario import Counts, Options, scenario
from tests.seeded import assemble_pretrained_weights
from tests.test_distributed import WEIGHT_FILES, cpu_config, write_four_videos
from utils.finished import is_trained

EPOCHS, VIDEOS = 2, 4
LONGEST = 240.0  # seconds of a run
RECIPE = "configs/recipes/finetune_hyperlora.yaml"
FLAGS = (
    *("--num_train_epochs", str(EPOCHS), "--per_device_train_batch_size", "1", "--gradient_accumulation_steps", "1"),
    *("--save_strategy", "steps", "--save_steps", "1", "--save_total_limit", "3", "--learning_rate", "1e-3"),
    *("--lora_r", "4", "--lora_alpha", "8", "--use_cpu", "true", "--report_to", "none"),
    *("--dataloader_num_workers", "0"),
)


@dataclass(frozen=True)
class Way:
    """A way to train: how many processes, and a DeepSpeed config. `share`: of the kills, one in so many."""

    name: str
    processes: int
    stage: str | None
    share: int


WAYS = (Way("one process", 1, None, 2), Way("DDP", 2, None, 4), Way("ZeRO-2", 2, "stage2", 4))


class Training:
    """Runs in `output`, one after the other, each in a session of its own."""

    def __init__(self, way: Way, folder: Path, name: str):
        self.way, self.folder, self.output = way, folder, folder / name
        self.printed = folder / f"{name}.txt"

    def start(self) -> BaseProcess:
        self.printed.unlink(missing_ok=True)
        process = get_context("fork").Process(target=self._run)
        process.start()
        return process

    def finish(self) -> int | None:
        """The exit code of a run that nobody disturbs; None if it hangs."""
        process = self.start()
        process.join(LONGEST)
        if process.exitcode is None:
            kill_all(process)
            return None
        return process.exitcode

    def _run(self) -> None:
        os.setsid()
        handle = os.open(self.printed, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(handle, 1), os.dup2(handle, 2)
        flags = [RECIPE, *FLAGS, "--pretrained_weights_dir", str(self.folder / "parts")]
        flags += ["--data_dir", str(self.folder / "bench"), "--output_dir", str(self.output)]
        if self.way.stage:
            flags += ["--deepspeed", str(cpu_config(self.way.stage, self.folder))]
        program = "scripts.finetune.finetune_hyperlora"
        if self.way.processes == 1:
            from scripts.finetune.finetune_hyperlora import main

            sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
            code = main(flags)
            sys.stdout.flush(), sys.stderr.flush()
            os._exit(code)
        launcher = ["-m", "scripts.processes", "--standalone", "--nproc_per_node", str(self.way.processes)]
        os.environ["DS_ACCELERATOR"] = "cpu"
        os.execv(sys.executable, [sys.executable, *launcher, "-m", program, *flags])

    def text(self) -> str:
        return self.printed.read_text(errors="replace") if self.printed.exists() else ""

    def steps_told(self) -> int:
        """The last step that this start's progress bar has shown."""
        total = EPOCHS * VIDEOS // self.way.processes
        return max((int(step) for step in re.findall(rf"\| (\d+)/{total} \[", self.text())), default=0)

    def newest(self) -> int:
        """The step of the newest whole checkpoint."""
        whole = (path for path in self.output.glob("checkpoint-*") if is_trained(path))
        return max((int(path.name.rpartition("-")[2]) for path in whole), default=0)

    def digest(self) -> str:
        return " ".join(hashlib.sha256((self.output / name).read_bytes()).hexdigest() for name in WEIGHT_FILES)

    def begin_anew(self) -> None:
        shutil.rmtree(self.output, ignore_errors=True)


def kill_all(process: BaseProcess) -> None:
    """kill -9 of the run with all of its processes; a launcher gives each a session of its own."""
    everybody = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    for one in everybody:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    process.join()
    psutil.wait_procs(everybody[1:], timeout=30)


def make_parts(folder: Path) -> None:
    """The benchmark and the pretrained weights of a run in the folder."""
    write_four_videos(folder / "bench")
    assemble_pretrained_weights(folder / "parts", small_clip=True)


def make_ways(options: Options) -> Iterator[tuple[Way, Path]]:
    """The ways that so many kills are for, with a folder that has parts and benchmark."""
    make_parts(options.folder)
    for way in WAYS[: 1 + min(2, options.kills // 4)]:
        yield way, options.folder


@scenario("training killed")
def killed(options: Options) -> Counts:
    """kill -9 in saving and at other moments: one step is lost at most, and the weights are the same."""
    counts, dice = Counts(), random.Random(options.seed)
    for way, folder in make_ways(options):
        whole, run = Training(way, folder, f"{way.name} whole"), Training(way, folder, f"{way.name} killed")
        if whole.finish() != 0:
            counts.tell("unclear", f"{way.name}: a run that nobody disturbs: {whole.text()[-300:]}")
            continue
        kills = 0
        while kills < max(1, options.kills // way.share) and not options.is_over:
            if kill_once(run, dice, counts):
                kills += 1
                counts.cases += 1
            else:
                compare(run, whole, counts)
                run.begin_anew()
        if run.finish() != 0:
            counts.tell("stuck", f"{way.name}: {run.text()[-300:]}")
        else:
            compare(run, whole, counts)
    return counts


def kill_once(run: Training, dice: random.Random, counts: Counts) -> bool:
    """Start a run and kill it: whether it was still there."""
    in_saving, process = dice.random() < 0.5, run.start()
    begun = time.monotonic()
    while process.is_alive() and (not (run.output / SCRATCH).exists() if in_saving else not run.steps_told()):
        time.sleep(0.002)
        if time.monotonic() - begun > LONGEST:
            kill_all(process)
            counts.tell("stuck", f"{run.way.name}: no step in {LONGEST:.0f} s: {run.text()[-300:]}")
            return True
    time.sleep(dice.uniform(0, 0.1 if in_saving else 2.0))
    if not process.is_alive():
        if process.exitcode != 0:
            counts.tell("stuck", f"{run.way.name}: {run.text()[-300:]}")
        return False
    kill_all(process)
    if run.steps_told() - run.newest() > 1:
        counts.tell(
            "lost", f"{run.way.name}: step {run.steps_told()} was told, checkpoint {run.newest()} is the newest"
        )
    return True


def compare(run: Training, whole: Training, counts: Counts) -> None:
    if run.digest() != whole.digest():
        counts.tell("different", f"{run.way.name}: other weights than without a disturbance")


@scenario("training stopped")
def stopped(options: Options) -> Counts:
    """SIGTERM and Ctrl-C save the step and end with a sentence; a killed launcher takes its processes with it."""
    counts = Counts()
    if options.kills < 4:
        return counts
    for way, folder in make_ways(options):
        whole, run = Training(way, folder, f"{way.name} whole"), Training(way, folder, f"{way.name} stopped")
        whole.finish()
        for number, code, name in ((signal.SIGTERM, 143, "SIGTERM"), (signal.SIGINT, 130, "the keyboard")):
            counts.cases += 1
            process = begun(run)
            os.kill(process.pid, number)
            process.join(60)
            told = run.steps_told()
            if process.exitcode != code or f"stopped by {name} after step" not in run.text():
                counts.tell("unclear", f"{way.name}: {number.name}: {process.exitcode}: {run.text()[-300:]}")
            if run.newest() < told:
                counts.tell("lost", f"{way.name}: {number.name}: step {told} was told, {run.newest()} is saved")
        if way.processes > 1:
            leave(run, counts)
        if run.finish() != 0:
            counts.tell("stuck", f"{way.name}: {run.text()[-300:]}")
        else:
            compare(run, whole, counts)
    return counts


def begun(run: Training) -> BaseProcess:
    """A run that has told one more step than it started with."""
    process, until = run.start(), time.monotonic() + LONGEST
    while process.is_alive() and not run.steps_told() and time.monotonic() < until:
        time.sleep(0.01)
    return process


def leave(run: Training, counts: Counts) -> None:
    """Kill the launcher alone."""
    counts.cases += 1
    process = begun(run)
    processes = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    _, left = psutil.wait_procs(processes, timeout=10)
    if left:
        counts.tell("stuck", f"{run.way.name}: {len(left)} processes train on without their launcher")
        for one in left:
            one.kill()
