"""What a case of the sentence table is: a change to right material, programs, and what they are expected to say.

Case("mask cut in half", partial(cut, "bench/masks/test_s/vB_dog_1/gt.png", 0.5),
     {"evaluate": refused("gt.png: expected an image"), "verify": found("gt.png: expected an image")})
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.faults.scenario import modules


@dataclass(frozen=True)
class Expected:
    """The exit code, and a part of what is printed or logged. No part: nothing in particular."""

    code: int
    says: str = ""


def refused(says: str) -> Expected:
    """Ends with one sentence, exit code 2."""
    return Expected(2, says)


def found(says: str) -> Expected:
    """`scripts.benchmark.verify` lists it, exit code 1."""
    return Expected(1, says)


def warned(says: str) -> Expected:
    """Goes on, and says so in a log line."""
    return Expected(0, says)


accepted = Expected(0)


@dataclass(frozen=True)
class Case:
    """`change` is called with a copy of the material (`tests.faults.material`) before each program is run.

    `expected`: name of a program in `tests.faults.programs` -> what it says. `flags` are added to its command line, in
    which {root} stands for the copy's folder; a flag given here replaces the program's own.
    """

    name: str
    change: Callable[[Path], None]
    expected: Mapping[str, Expected]
    flags: tuple[str, ...] = ()


def nothing(root: Path) -> None:
    """The change of a case that differs in its flags only."""


def find_cases() -> list[Case]:
    """All cases of the modules in tests/faults/cases. AssertionError for a name that is there twice."""
    cases = [case for module in modules("tests.faults.cases") for case in module.CASES]
    names = [case.name for case in cases]
    assert len(set(names)) == len(names), sorted({name for name in names if names.count(name) > 1})
    return cases
