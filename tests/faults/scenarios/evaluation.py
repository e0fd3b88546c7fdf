"""Evaluations that are killed, on one and two processes, whose logs are damaged in between, and that lack room."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import BENCHMARK
from tests.faults.forked import HANG
from tests.faults.group import is_running, kill_group, start_group, wait_for_all
from tests.faults.material import make_material
from tests.faults.scenario import Counts, Options, scenario
from tests.faults.scenarios.sentences import warm_up
from utils.answer_log import read_lines

NO_RECORDS = (b'{"a": 1}\n', b"\xff\xfe\n", b"[]\n", b"{" * 3_000 + b"\n", b"\0" * 50 + b"\n")
LONGEST = 120.0  # seconds until a run counts as stuck


@dataclass
class Evaluation:
    """Runs of one evaluation, as so many processes, each a fork of this one."""

    material: Path
    output: Path
    counts: Counts
    rng: random.Random
    seconds: float = 0.0  # of the undisturbed run
    expected: dict[str, bytes] = field(default_factory=dict)

    def start(self, processes: int) -> list[int]:
        """The ids of the new processes; each is the leader of its own group."""
        batch, workers = self.rng.choice(("1", "3", "8", "40")), self.rng.choice(("0", "1"))
        argv = ["--pretrained_weights_dir", f"{self.material}/parts", "--auditor_dir", f"{self.material}/auditor"]
        argv += ["--data_dir", str(BENCHMARK), "--output_dir", str(self.output), "--device", "cpu"]
        argv += ["--max_new_tokens", "8", "--batch_size", batch, "--num_workers", workers, "--report", "false"]
        return start_group(lambda: evaluate(argv), processes, self.log)

    def log(self, rank: int) -> Path:
        return self.material.parent / f"printed-{rank}.txt"

    def said(self) -> str:
        lines = [line for rank in range(3) if self.log(rank).is_file() for line in tail(self.log(rank))]
        return " | ".join(lines)[-300:]

    def results(self) -> dict[str, bytes]:
        names = ("predictions_*.jsonl", "metrics_summary_*.json")
        return {path.name: path.read_bytes() for name in names for path in self.output.glob(f"*/{name}")}

    def logged(self) -> set[tuple]:
        """The masks whose answers are in the logs."""
        lines = (line for path in self.output.glob("*/*.partial") for line in read_lines(path))
        return {(record["uid"], record["mask_path"]) for _, record in lines if record}

    def finish(self, processes: int) -> None:
        """A run that nobody disturbs."""
        self.check(wait_for_all(self.start(processes), LONGEST))

    def check(self, codes: list) -> None:
        """What a run that has ended by itself must have left. Afterwards the folder is empty."""
        if any(codes):
            self.counts.tell("stuck", f"expected exit code 0 of every process, got {codes}: {self.said()}")
        elif self.results() != self.expected:
            self.counts.tell("different", "other results than those of the undisturbed run")
        elif left := [path.name for path in self.output.glob("*/*.partial")]:
            self.counts.tell("unclear", f"a finished run has left {', '.join(left)}")
        shutil.rmtree(self.output, ignore_errors=True)

    def kill(self, ids: list[int], moment: float) -> list | None:
        """kill -9 after so many seconds; the exit codes, if all had ended before."""
        before = self.logged()
        end = time.monotonic() + moment
        while time.monotonic() < end and any(map(is_running, ids)):
            time.sleep(0.005)
        if not any(map(is_running, ids)):
            return wait_for_all(ids, LONGEST)
        codes = kill_group(ids, self.rng, LONGEST)
        if not self.results() and (missing := before - self.logged()):
            self.counts.tell("lost", f"{len(missing)} of {len(before)} stored answers are gone after a kill")
        if HANG in codes:
            self.counts.tell("stuck", f"a process did not end with the others: {self.said()}")
        return None


def evaluate(argv: list[str]) -> int:
    from scripts.evaluate.run import main

    return main(argv)


@scenario("evaluation: kill -9")
def killed_evaluations(options: Options) -> Counts:
    """Killed at random moments, restarted with another number of processes and batch size: every mask once."""
    return disturbed(options, lambda run: None)


@scenario("evaluation: damaged logs")
def damaged_logs(options: Options) -> Counts:
    """The same, with lines of the log cut off, doubled, swapped, foreign or no text before each restart."""
    return disturbed(options, lambda run: damage(run.output, run.rng))


def undisturbed(options: Options) -> Evaluation:
    """An evaluation whose results are known."""
    material = make_material(options.folder / "material")
    run = Evaluation(material, options.folder / "out", Counts(), random.Random(options.seed))
    warm_up({"evaluate"}, material, options.folder / "warm")
    start = time.monotonic()
    codes = wait_for_all(run.start(1), LONGEST)
    run.seconds, run.expected = time.monotonic() - start, run.results()
    run.check(codes)
    return run


def disturbed(options: Options, between: Callable[[Evaluation], None]) -> Counts:
    run = undisturbed(options)
    while run.counts.cases < options.kills and not options.is_over:
        codes = run.kill(run.start(run.rng.choice((1, 2))), run.rng.uniform(0.1, 1.1) * run.seconds)
        if codes is None:
            run.counts.cases += 1
            between(run)
        else:
            run.check(codes)
    run.finish(run.rng.choice((1, 2, 3)))
    return run.counts


def damage(output: Path, rng: random.Random) -> None:
    for path in output.glob("*/*.partial"):
        lines = path.read_bytes().splitlines(keepends=True)
        if len(lines) < 2:
            continue
        one, other = sorted(rng.sample(range(len(lines)), 2))
        kind = rng.randrange(5)
        if kind == 0:
            lines[-1] = lines[-1][: rng.randrange(len(lines[-1]))]
        elif kind == 1:
            lines.insert(other, lines[one])
        elif kind == 2:
            lines[one], lines[other] = lines[other], lines[one]
        elif kind == 3:
            lines.insert(one, rng.choice(NO_RECORDS))
        else:
            lines[one] = lines[one].replace(b"a", b"b", 1)
        path.write_bytes(b"".join(lines))


def tail(path: Path) -> list[str]:
    return path.read_text(errors="replace").strip().splitlines()[-1:]
