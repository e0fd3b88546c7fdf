"""Training that is killed, stopped by signals or left by its launcher: it goes on, to the same weights.

With few kills only one process is killed. From 4 on signals are sent, too, and two processes train with DDP; from 8 on
also with ZeRO-2.
"""

from __future__ import annotations

import os
import random
import signal
import time
from dataclasses import dataclass

import psutil

from tests.faults.forked import HANG
from tests.faults.group import is_running, kill_group, wait, wait_for_all
from tests.faults.scenario import Counts, Options, scenario
from tests.faults.trained import (
    LONGEST,
    WAYS,
    Training,
    Way,
    check_end,
    end_and_compare,
    is_any_running,
    make_parts,
    whole_run,
)

SAVING = 0.15  # seconds, about, that a checkpoint takes


def ways_of(kills: int) -> tuple[Way, ...]:
    """The ways that so many kills are for."""
    return WAYS[: 1 + min(2, kills // 4)]


@scenario("training killed")
def killed(options: Options) -> Counts:
    """kill -9 in saving and at other moments: one step is lost at most, and the weights are the same."""
    counts, dice = Counts(), random.Random(options.seed)
    make_parts(options.folder)
    wholes = [whole_run(way, options.folder, counts) for way in ways_of(options.kills)]
    tries = [Tried(whole, Training(whole.way, options.folder, f"{whole.way.name} killed")) for whole in wholes if whole]
    turns = [one for one in tries for _ in range(max(1, options.kills // one.run.way.share))]
    dice.shuffle(turns)
    for one in turns:
        while not options.is_over and (codes := kill_once(one, dice, counts)) is not None:
            check_end(one.run, codes, one.whole, one.told(), counts)
            one.ends += 1
            one.run.begin_anew()
    for one in tries:
        end_and_compare(one.run, one.whole, one.told(), counts)
        one.ends += 1
        counts.cases += one.kills
        counts.notes.append(f"{one.told()}, {one.in_saving} of them in saving; {one.ends} runs to their end")
    return counts


@dataclass
class Tried:
    """A run that is killed again and again, the undisturbed one, and what has happened so far."""

    whole: Training
    run: Training
    kills: int = 0
    in_saving: int = 0
    ends: int = 0

    def told(self) -> str:
        return f"{self.run.way.name}: {self.kills} kills"


def kill_once(one: Tried, dice: random.Random, counts: Counts) -> list | None:
    """Start a run and kill it, in saving or at any moment of the seconds that a run takes.

    The exit codes, if it ended before.
    """
    run, name = one.run, one.run.way.name
    first, ids, begun = run.newest(), run.start(), time.monotonic()
    target, in_saving = first + dice.choice((0, 0, 0, 1, 2)), dice.random() < 0.75
    until = begun + (LONGEST if in_saving else dice.uniform(0, one.whole.seconds))
    while is_any_running(ids) and time.monotonic() < until:
        if in_saving and run.is_saving and run.newest() >= target:
            time.sleep(dice.choice((0, dice.uniform(0, SAVING))))
            break
        time.sleep(0.002)
    if not is_any_running(ids):
        return wait_for_all(ids, LONGEST)
    if time.monotonic() - begun > LONGEST:
        counts.tell("stuck", f"{name}: no step in {LONGEST:.0f} s: {run.text()[-300:]}")
    if HANG in kill_group(ids, dice, LONGEST):
        counts.tell("stuck", f"{name}: a process did not end with the others: {run.text()[-300:]}")
    one.kills, one.in_saving = one.kills + 1, one.in_saving + run.is_saving
    if run.steps_told() - run.newest() > 1:
        told = f"step {run.steps_told()} was told, checkpoint {run.newest()} is the newest"
        counts.tell("lost", f"{name}: {told}")
    return None


@scenario("training stopped")
def stopped(options: Options) -> Counts:
    """SIGTERM and Ctrl-C save the step and end with a sentence; a killed launcher takes its processes with it."""
    counts = Counts()
    if options.kills < 4:
        return counts
    make_parts(options.folder)
    for way in ways_of(options.kills):
        whole, run = whole_run(way, options.folder, counts), Training(way, options.folder, f"{way.name} stopped")
        if whole is None:
            continue
        for number, code, name in ((signal.SIGTERM, 143, "SIGTERM"), (signal.SIGINT, 130, "the keyboard")):
            counts.cases += 1
            process = begun(run)
            os.kill(process, number)
            got, told = wait(process, time.monotonic() + 60), run.steps_told()
            if got != code or f"stopped by {name} after step" not in run.text():
                counts.tell("unclear", f"{way.name}: {number.name}: {got}: {run.text()[-300:]}")
            if run.newest() < told:
                counts.tell("lost", f"{way.name}: {number.name}: step {told} was told, {run.newest()} is saved")
        if way.processes > 1:
            leave(run, counts)
        end_and_compare(run, whole, f"{way.name}, stopped by signals", counts)
    return counts


def begun(run: Training) -> int:
    """The id of a run, started by its launcher, that has told one more step than it started with."""
    process, until, first = run.launch(), time.monotonic() + LONGEST, run.newest()
    while is_running(process) and run.steps_told() <= first and time.monotonic() < until:
        time.sleep(0.01)
    return process


def leave(run: Training, counts: Counts) -> None:
    """Kill the launcher alone."""
    counts.cases += 1
    process = begun(run)
    processes = psutil.Process(process).children(recursive=True)
    os.kill(process, signal.SIGKILL)
    wait(process, time.monotonic() + 10)
    _, left = psutil.wait_procs(processes, timeout=10)
    if left:
        counts.tell("stuck", f"{run.way.name}: {len(left)} processes train on without their launcher")
        for one in left:
            one.kill()
