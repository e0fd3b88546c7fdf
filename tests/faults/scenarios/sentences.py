"""The sentence table: every case of `tests.faults.cases`, through the real programs."""

from __future__ import annotations

import shutil
from pathlib import Path
from re import compile as pattern

from tests.faults.case import Case, Expected, find_cases
from tests.faults.forked import HANG, TRACEBACK, Outcome, run_forked
from tests.faults.material import copy_material, make_material
from tests.faults.programs import PROGRAMS
from tests.faults.scenario import Counts, Options, scenario

BAR = pattern(r"(?m)^\n*(\x1b\[A)+$|\r")  # how a progress bar steers a terminal
STEERS = pattern(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)  # so may nobody else


@scenario("sentences")
def sentences(options: Options) -> Counts:
    """Wrong and hostile input: every program says what it is expected to say of it."""
    material = make_material(options.folder / "material")
    counts = Counts()
    chosen = [case for case in find_cases() if options.case in case.name][:: options.every]
    warm_up({name for case in chosen for name in case.expected}, material, options.folder / "warm up")
    for case in chosen:
        for name, expected in case.expected.items():
            counts.cases += 1
            outcome = try_case(case, name, material, options.folder / "case")
            if kind := trouble(outcome, expected):
                last = "".join(outcome.text.strip().splitlines()[-1:])
                wanted = f"expected {expected.code} '{expected.says}', got {outcome.code} in {outcome.seconds:.1f} s"
                counts.tell(kind, f"{case.name}: {name}: {wanted}: {last[-200:]}")
    return counts


def try_case(case: Case, name: str, material: Path, root: Path) -> Outcome:
    """The outcome of one program on a damaged copy of the material."""
    shutil.rmtree(root, ignore_errors=True)
    argv = PROGRAMS[name].argv(root, case.flags)
    copy_material(material, root, argv)
    case.change(root)
    return run_forked(lambda: PROGRAMS[name].main(argv), root / "printed.txt")


def trouble(outcome: Outcome, expected: Expected) -> str | None:
    """The kind of trouble, if the outcome is not the expected one."""
    if outcome.code == HANG:
        return "stuck"
    if outcome.code == TRACEBACK or outcome.code not in (0, expected.code):
        return "unclear"
    if outcome.code != expected.code:
        return "silent"
    if expected.says not in outcome.text:
        return "silent" if expected.code == 0 else "unclear"
    if STEERS.search(BAR.sub("", outcome.text)):
        return "silent"
    return None


def warm_up(names: set[str], material: Path, root: Path) -> None:
    """Import what the programs import, so that the children need not. Nothing is computed here: threads do not fork."""
    import transformers  # noqa: F401

    from scripts import clip_audit  # noqa: F401
    from scripts.evaluate import split_audit  # noqa: F401

    if "train" in names:
        from configs import trainer  # noqa: F401
        from scripts.finetune import training  # noqa: F401
