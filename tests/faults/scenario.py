"""What a scenario is: options in, counts out. Every count of trouble has the goal 0."""

from __future__ import annotations

import importlib
import math
import pkgutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

TROUBLES = ("unloadable", "stuck", "silent", "lost", "different", "unclear")
MEANINGS = {
    "unloadable": "what is left cannot be read",
    "stuck": "hangs, or does not go on after a restart",
    "silent": "wrong input or damage that is accepted without a word",
    "lost": "more than one interval of work is lost, or a mask is missing or counted twice",
    "different": "results differ from those of an undisturbed run",
    "unclear": "a traceback, or another sentence or exit code than expected",
}


@dataclass(frozen=True)
class Options:
    """What the command line says. `folder` is an empty folder for the scenario's files; it is deleted afterwards."""

    folder: Path
    kills: int = 2  # kill -9 for each scenario that kills
    fuzz: int = 10  # changed files for each reader
    seed: int = 0
    case: str = ""  # of the sentence table: only cases whose name holds this
    every: int = 1  # of tables of cases: take the first of so many
    end: float = math.inf  # on the clock of time.monotonic: no new case begins later

    @property
    def is_over(self) -> bool:
        return time.monotonic() > self.end


@dataclass
class Counts:
    """What a scenario found: how many cases it tried, and each trouble with a sentence."""

    cases: int = 0
    troubles: list[tuple[str, str]] = field(default_factory=list)  # (kind, sentence)
    notes: list[str] = field(default_factory=list)  # what else is worth knowing of the cases

    def tell(self, kind: str, sentence: str) -> None:
        """Note a trouble of one of the kinds in TROUBLES."""
        assert kind in TROUBLES, kind
        self.troubles.append((kind, sentence))

    def number(self, kind: str) -> int:
        return sum(kind == other for other, _ in self.troubles)


@dataclass(frozen=True)
class Scenario:
    name: str
    run: Callable[[Options], Counts]

    @property
    def about(self) -> str:
        """The first line of its docstring."""
        return (self.run.__doc__ or "").strip().splitlines()[0]


def scenario(name: str) -> Callable:
    """Marks a function Options -> Counts as a scenario. Its docstring's first line is shown by --list."""

    def mark(run: Callable[[Options], Counts]) -> Callable[[Options], Counts]:
        run.scenario = Scenario(name, run)
        return run

    return mark


def find_scenarios() -> list[Scenario]:
    """All scenarios of the modules in tests/faults/scenarios, in the order of the modules' names and lines."""
    functions = (value for module in modules("tests.faults.scenarios") for value in vars(module).values())
    found = [function.scenario for function in functions if hasattr(function, "scenario")]
    return list({one.name: one for one in found}.values())


def modules(package: str) -> Iterator:
    """The modules directly in a package."""
    for info in pkgutil.iter_modules(importlib.import_module(package).__path__):
        yield importlib.import_module(f"{package}.{info.name}")


def render(results: dict[str, Counts]) -> str:
    """The table of counts, then every note and every trouble in a line."""
    width = max(len(name) for name in [*results, "scenario"])
    rows = [f"{'scenario':<{width}} {'cases':>6} " + " ".join(f"{kind:>10}" for kind in TROUBLES)]
    for name, counts in results.items():
        numbers = " ".join(f"{counts.number(kind):>10}" for kind in TROUBLES)
        rows.append(f"{name:<{width}} {counts.cases:>6} {numbers}")
    troubles = [f"{name}: {kind}: {text}" for name, counts in results.items() for kind, text in counts.troubles]
    notes = [f"{name}: {note}" for name, counts in results.items() for note in counts.notes]
    return "\n".join(rows + notes + troubles)
