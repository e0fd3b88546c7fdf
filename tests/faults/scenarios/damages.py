"""The newest checkpoint of a run is damaged, file by file: the run goes on from the one before, to the same weights."""

from __future__ import annotations

from itertools import product

from tests.faults.scenario import Counts, Options, scenario
from tests.faults.trained import WAYS, Training, end_and_compare, make_parts, step_of, whole_run
from tests.file_damage import DAMAGES, linked_copy


@scenario("damaged checkpoint")
def damaged_checkpoints(options: Options) -> Counts:
    """Every file of the newest checkpoint is halved, emptied, changed by a bit or gone: the one before is taken."""
    counts, way = Counts(), WAYS[0]
    make_parts(options.folder)
    whole = whole_run(way, options.folder, counts)
    if whole is None:
        return counts
    before, newest = sorted(whole.output.glob("checkpoint-*"), key=step_of)[-3:-1]
    files = sorted(path.name for path in newest.iterdir())
    for number, (file, damage) in enumerate(list(product(files, DAMAGES))[:: options.every]):
        if options.is_over:
            break
        counts.cases += 1
        run = Training(way, options.folder, f"damaged {number}")
        linked_copy(before, run.output / before.name)
        DAMAGES[damage](linked_copy(newest, run.output / newest.name) / file)
        end_and_compare(run, whole, f"{file}, {damage}", counts)
        if f"passed over {run.output / newest.name}" not in run.text():
            counts.tell("silent", f"{file}, {damage}: expected that the checkpoint is passed over: {run.text()[-300:]}")
        run.begin_anew()
    return counts
