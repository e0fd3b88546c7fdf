"""Which candidate each policy takes for one expression, and why. What is true of the masks only the oracle knows."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from scripts.repair.candidates import FIRST, GEOMETRIC, TARGET, Candidate
from scripts.repair.verdicts import Verdict

KEEP, REPLACE, RANDOM, ORACLE = REFERENCES = ("keep", "replace", "random", "oracle")
NEW_TYPES = {"full_neg": "its type is full_neg", "reject": "it is rejected"}


@dataclass(frozen=True)
class Judged:
    """An audited candidate. `group`: what it was made with; the geometric ones of the first mask have "geometric"."""

    candidate: Candidate
    verdict: Verdict
    group: str

    @property
    def name(self) -> str:
        return self.candidate.name

    @property
    def expected(self) -> float:
        return self.verdict.expected


@dataclass(frozen=True)
class Choice:
    """The candidate that is taken, and why, in words. `is_segmented`: whether the target's name had to be segmented."""

    name: str
    why: str
    is_segmented: bool = False


def best(judged: Sequence[Judged]) -> Judged:
    """The one with the highest expected IoU; of equals the one that was made first."""
    return max(judged, key=lambda one: one.expected)


def choose(policy: str, judged: Sequence[Judged]) -> Choice:
    """`judged`: all candidates of an expression, the first masks first.

    A policy that finds nothing better keeps the first masks.
    """
    first = judged[0]
    if policy in NEW_TYPES:
        said = first.verdict.said
        is_wrong = said.mask_type == "full_neg" if policy == "full_neg" else said.action == "reject"
        return (
            _take_target(judged, NEW_TYPES[policy]) if is_wrong else Choice(FIRST, f"not so that {NEW_TYPES[policy]}")
        )
    own = [one for one in judged if policy == "best_of" or one.group in (FIRST, GEOMETRIC)]
    taken = best(own)
    if taken is first:
        return Choice(FIRST, f"none of {len(own)} is expected to be better than {first.expected:.2f}")
    return Choice(taken.name, f"of {len(own)} the best: {taken.expected:.2f} is expected, not {first.expected:.2f}")


def refer(policy: str, judged: Sequence[Judged], truths: dict[str, float], key: str, seed: int) -> Choice:
    """The reference rows. `truths`: name of a candidate -> how good it is."""
    if policy == KEEP:
        return Choice(FIRST, "kept")
    if policy == REPLACE:
        return _take_target(judged, "all are replaced")
    if policy == RANDOM:
        return Choice(random.Random(f"{seed}/{key}").choice(judged).name, "at random")
    name = max((one.name for one in judged), key=truths.__getitem__)
    return Choice(name, f"of {len(judged)} the best, as the ground truth has it")


def _take_target(judged: Sequence[Judged], because: str) -> Choice:
    target = next((one for one in judged if one.name == TARGET), None)
    words = judged[0].verdict.target
    if not words:
        return Choice(FIRST, f"{because}, but the audit names no target")
    if target is None or target.candidate.is_empty:
        return Choice(FIRST, f"{because}, but nothing was found for “{words}”", is_segmented=True)
    return Choice(TARGET, f"{because}; made anew with “{words}”", is_segmented=True)
