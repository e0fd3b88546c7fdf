"""The newest checkpoint of a run is damaged, file by file: the run goes on from the one before, to the same weights."""

from __future__ import annotations

from itertools import product
from pathlib import Path

from tests.faults.scenario import Counts, Options, scenario
from tests.faults.scenarios.training import WAYS, Training, compare, make_parts
from tests.file_damage import DAMAGES, linked_copy


@scenario("damaged checkpoint")
def damaged_checkpoints(options: Options) -> Counts:
    """Every file of the newest checkpoint is halved, emptied, changed by a bit or gone: the one before is taken."""
    counts, way = Counts(), WAYS[0]
    make_parts(options.folder)
    whole = Training(way, options.folder, "whole")
    if whole.finish() != 0:
        counts.tell("unclear", f"a run that nobody disturbs: {whole.text()[-300:]}")
        return counts
    before, newest = sorted(whole.output.glob("checkpoint-*"), key=_step)[-3:-1]
    files = sorted(path.name for path in newest.iterdir())
    for number, (file, damage) in enumerate(list(product(files, DAMAGES))[:: options.every]):
        if options.is_over:
            break
        counts.cases += 1
        run = Training(way, options.folder, f"damaged {number}")
        linked_copy(before, run.output / before.name)
        DAMAGES[damage](linked_copy(newest, run.output / newest.name) / file)
        go_on(run, whole, f"{file}, {damage}", f"passed over {run.output / newest.name}", counts)
        run.begin_anew()
    return counts


def go_on(run: Training, whole: Training, what: str, sentence: str, counts: Counts) -> None:
    """The run must say what it has passed over, and end in the weights of the whole one."""
    if run.finish() != 0:
        counts.tell("stuck", f"{what}: {run.text()[-300:]}")
        return
    if sentence not in run.text():
        counts.tell("silent", f"{what}: expected '{sentence}', got {run.text()[-300:]}")
    compare(run, whole, counts)


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])
