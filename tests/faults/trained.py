"""Runs of a small training: three epochs of four videos, a checkpoint at every step; they can be killed and go on."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from scripts.training.checkpoints import SCRATCH
from tests.faults.forked import child_of
from tests.faults.group import is_running, start_group, wait_for_all
from tests.faults.scenario import Counts
from tests.faults.scenarios.sentences import warm_up
from tests.seeded import assemble_pretrained_weights
from tests.test_distributed import WEIGHT_FILES, cpu_config, write_four_videos
from utils.finished import is_trained

EPOCHS, VIDEOS = 3, 4
LONGEST = 240.0  # seconds of a run
FIRST = 900.0  # of one in which DeepSpeed may have to compile
MEMORY_GB = 60  # of addresses: DeepSpeed reserves many
PROGRAM = "scripts.finetune.finetune_hyperlora"
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

    @property
    def steps(self) -> int:
        return EPOCHS * VIDEOS // self.processes


WAYS = (Way("one process", 1, None, 2), Way("DDP", 2, None, 4), Way("ZeRO-2", 2, "stage2", 4))


class Training:
    """Runs in the folder `output`, one after the other."""

    def __init__(self, way: Way, folder: Path, name: str):
        self.way, self.folder, self.output = way, folder, folder / name
        self.seconds = 0.0  # of the last run that nobody disturbed

    def start(self) -> list[int]:
        """The ids of the processes: forks, so that a start takes no imports."""
        self._forget_output()
        return start_group(partial(train, self._argv()), self.way.processes, self._log, MEMORY_GB)

    def launch(self) -> int:
        """The id of a launcher, or, of one process, of itself."""
        if self.way.processes == 1:
            return self.start()[0]
        self._forget_output()
        launcher = ["-m", "scripts.processes", "--standalone", "--nproc_per_node", str(self.way.processes)]
        command = [sys.executable, *launcher, "-m", PROGRAM, *self._argv()]
        return child_of(lambda: os.execv(sys.executable, command), self._log(0), MEMORY_GB)

    def finish(self, longest: float = LONGEST) -> list:
        """The exit codes of a run that nobody disturbs, see `group.wait`."""
        start = time.monotonic()
        codes = wait_for_all(self.start(), longest)
        self.seconds = time.monotonic() - start
        return codes

    def _argv(self) -> list[str]:
        places = {"pretrained_weights_dir": self.folder / "parts", "data_dir": self.folder / "bench"}
        places["output_dir"] = self.output
        if self.way.stage:
            places["deepspeed"] = cpu_config(self.way.stage, self.folder)
        recipe = "configs/recipes/finetune_hyperlora.yaml"
        return [recipe, *FLAGS, *(word for name, path in places.items() for word in (f"--{name}", str(path)))]

    def _log(self, rank: int) -> Path:
        return self.folder / f"{self.output.name} {rank}.txt"

    def _forget_output(self) -> None:
        for rank in range(self.way.processes):
            self._log(rank).unlink(missing_ok=True)

    def text(self) -> str:
        logs = filter(Path.exists, map(self._log, range(self.way.processes)))
        return "".join(log.read_text(errors="replace") for log in logs)

    def steps_told(self) -> int:
        """The last step that this start's progress bar has shown."""
        return max((int(step) for step in re.findall(rf"\| (\d+)/{self.way.steps} \[", self.text())), default=0)

    def newest(self) -> int:
        """The step of the newest whole checkpoint."""
        return max(map(step_of, filter(is_trained, self.output.glob("checkpoint-*"))), default=0)

    @property
    def is_saving(self) -> bool:
        """Whether a checkpoint is being written, or was when the run was killed."""
        return (self.output / SCRATCH).exists()

    def digest(self) -> str:
        return " ".join(hashlib.sha256((self.output / name).read_bytes()).hexdigest() for name in WEIGHT_FILES)

    def names(self) -> set[str]:
        """Of the files beside the checkpoints."""
        return {path.name for path in self.output.iterdir() if path.is_file()}

    def begin_anew(self) -> None:
        shutil.rmtree(self.output, ignore_errors=True)


def train(argv: list[str]) -> int:
    from scripts.finetune.finetune_hyperlora import main

    return main(argv)


def make_parts(folder: Path) -> None:
    """The benchmark and the pretrained weights of a run in the folder; and the imports of the runs, done once."""
    write_four_videos(folder / "bench")
    assemble_pretrained_weights(folder / "parts", small_clip=True)
    warm_up({"train"}, folder, folder)


def whole_run(way: Way, folder: Path, counts: Counts) -> Training | None:
    """A run that nobody disturbs; None if that does not work."""
    run = Training(way, folder, f"{way.name} whole")
    codes = run.finish(FIRST)
    if any(codes):
        counts.tell("unclear", f"{way.name}: a run that nobody disturbs: {codes}: {run.text()[-300:]}")
        return None
    return run


def end_and_compare(run: Training, whole: Training, what: str, counts: Counts) -> None:
    """The run goes on to its end, to what the whole one has left."""
    check_end(run, run.finish(), whole, what, counts)


def check_end(run: Training, codes: list, whole: Training, what: str, counts: Counts) -> None:
    """Compare a run that has ended by itself, with these exit codes, with the whole one."""
    if any(codes):
        counts.tell("stuck", f"{what}: {codes}: {run.text()[-300:]}")
    elif run.digest() != whole.digest():
        counts.tell("different", f"{what}: other weights than without a disturbance")
    elif left := run.names() - whole.names():
        counts.tell("unclear", f"{what}: left behind {', '.join(sorted(left))}")


def step_of(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])


def is_any_running(ids: list[int]) -> bool:
    return any(map(is_running, ids))
