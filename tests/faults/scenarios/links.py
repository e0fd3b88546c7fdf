"""Links that somebody has planted where a program will write: at each of its files, and at each of its folders."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from tests.faults.forked import TRACEBACK, Outcome, run_forked
from tests.faults.material import copy_material, make_material
from tests.faults.programs import PROGRAMS
from tests.faults.scenario import Counts, Options, scenario
from tests.faults.scenarios.sentences import warm_up

PRECIOUS = "nobody may write here"
MORE_FLAGS = {"verify": ("--output", "{root}/findings.json")}


@scenario("planted links")
def planted_links(options: Options) -> Counts:
    """Nothing is written through a link that stands in the place of a program's file or folder."""
    material, counts = make_material(options.folder / "material"), Counts()
    warm_up(set(PROGRAMS), material, options.folder)
    for name in list(PROGRAMS)[:: options.every]:
        root = options.folder / "case"
        outcome, before = run(name, material, root, {})
        written = [path.relative_to(root) for path in root.rglob("*") if path not in before]
        if outcome.code != 0:
            counts.tell("unclear", f"{name}: expected exit code 0 of right input, got {outcome.code}")
        folders = [path for path in written if (root / path).is_dir()]
        files = [path for path in written if (root / path).is_file()]
        for places in [files, *([folder] for folder in folders[:: options.every])]:
            counts.cases += 1
            victims = plant(places, root, options.folder / "victims", folder=places is not files)
            outcome, _ = run(name, material, root, victims)
            shown = ", ".join(map(str, places[:3]))
            if outcome.code == TRACEBACK:
                counts.tell("unclear", f"{name}: a traceback for a link at {shown}: {outcome.text.strip()[-200:]}")
            if places is files and (changed := [link for link, victim in victims.items() if is_changed(victim)]):
                counts.tell("silent", f"{name}: written through the link at {', '.join(map(str, changed))}")
            if places is not files and is_below_results(places[0]) and any(victims[places[0]].iterdir()):
                counts.tell("silent", f"{name}: written through the link at {shown}")
    return counts


def run(name: str, material: Path, root: Path, links: dict[Path, Path]) -> tuple[Outcome, set[Path]]:
    """The outcome on right material with these links, and the paths that were there before."""
    shutil.rmtree(root, ignore_errors=True)
    argv = PROGRAMS[name].argv(root, MORE_FLAGS.get(name, ()))
    copy_material(material, root, argv)
    for link, victim in links.items():
        (root / link).parent.mkdir(parents=True, exist_ok=True)
        (root / link).symlink_to(victim)
    before = {*root.rglob("*"), root / "printed.txt"}
    return run_forked(lambda: PROGRAMS[name].main(argv), root / "printed.txt"), before


def plant(places: Iterable[Path], root: Path, victims: Path, folder: bool) -> dict[Path, Path]:
    """Place in the material -> a file or folder elsewhere that a link there will lead to."""
    shutil.rmtree(victims, ignore_errors=True)
    victims.mkdir()
    made = {place: victims / str(number) for number, place in enumerate(places)}
    for victim in made.values():
        if folder:
            victim.mkdir()
        else:
            victim.write_text(PRECIOUS)
    return made


def is_changed(victim: Path) -> bool:
    return not victim.is_file() or victim.read_text(errors="replace") != PRECIOUS


def is_below_results(folder: Path) -> bool:
    """Whether the user has not named the folder: a link that the user names is followed."""
    return len(folder.parts) > 1
