"""Training that is killed, stopped by signals or left by its launcher: it goes on, to the same weights.

With few kills only one process is killed. From 4 on signals are sent, too, and two processes train with DDP; from 8 on
also with ZeRO-2.
"""

from __future__ import annotations

import os
import random
import signal
import time

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
    for way in ways_of(options.kills):
        whole, run = whole_run(way, options.folder, counts), Training(way, options.folder, f"{way.name} killed")
        if whole is None:
            continue
        kills = in_saving = ends = 0
        while kills < max(1, options.kills // way.share) and not options.is_over:
            codes = kill_once(run, dice, whole.seconds, counts)
            if codes is None:
                kills, in_saving = kills + 1, in_saving + run.is_saving
            else:
                check_end(run, codes, whole, f"{way.name}, {kills} kills", counts)
                run.begin_anew()
                ends += 1
        end_and_compare(run, whole, f"{way.name}, {kills} kills", counts)
        counts.cases += kills
        counts.notes.append(f"{way.name}: {kills} kills, {in_saving} of them in saving; {ends + 1} runs to their end")
    return counts


def kill_once(run: Training, dice: random.Random, seconds: float, counts: Counts) -> list | None:
    """Start a run and kill it, in saving or at any moment of the `seconds` that a run takes.

    The exit codes, if it ended before.
    """
    ids, begun, first = run.start(), time.monotonic(), run.newest()
    saves, until = dice.choice((0, 0, 0, 1, 2)), begun + LONGEST
    if dice.random() < 0.25:
        until = begun + dice.uniform(0, seconds)
    while is_any_running(ids) and time.monotonic() < until:
        if until - begun == LONGEST and run.is_saving and run.newest() >= first + saves:
            time.sleep(dice.uniform(0, SAVING))
            break
        time.sleep(0.002)
    if not is_any_running(ids):
        return wait_for_all(ids, LONGEST)
    if time.monotonic() - begun > LONGEST:
        counts.tell("stuck", f"{run.way.name}: no step in {LONGEST:.0f} s: {run.text()[-300:]}")
    if HANG in kill_group(ids, dice, LONGEST):
        counts.tell("stuck", f"{run.way.name}: a process did not end with the others: {run.text()[-300:]}")
    if run.steps_told() - run.newest() > 1:
        told = f"step {run.steps_told()} was told, checkpoint {run.newest()} is the newest"
        counts.tell("lost", f"{run.way.name}: {told}")
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
