"""A run of repairs: its expressions with their candidates, and what makes and audits them."""

from __future__ import annotations

from dataclasses import dataclass, field

from configs.improving import ImproveArguments
from dataset.referring.expressions import Expression
from dataset.referring.layout import ReferringData
from scripts.repair.audits import CandidateAudits, Wanted
from scripts.repair.candidates import TARGET, Group
from scripts.repair.making import Workshop
from scripts.repair.policies import Judged


@dataclass
class Case:
    """One expression with its candidates, in the order in which they were made."""

    row: Expression
    frames: tuple[int, ...]
    groups: list[Group] = field(default_factory=list)

    @property
    def first(self) -> Group:
        return self.groups[0]

    def wanted(self) -> list[Wanted]:
        return [Wanted(self.row, own, self.frames) for group in self.groups for own in group.candidates]


@dataclass
class Repair:
    """What a run needs: its settings, what is given, who makes candidates and who audits them; and its cases.

    `texts`: name -> words for each row, None for a row without; `kinds`: uid -> kind of expression, if known.
    """

    args: ImproveArguments
    data: ReferringData
    rows: list[Expression]
    texts: dict[str, list[str | None]]
    kinds: dict[str, str]
    shop: Workshop
    audits: CandidateAudits
    cases: list[Case] = field(default_factory=list)

    def judged(self, case: Case) -> list[Judged]:
        """All candidates of a case with their verdicts. Of equal ones the first stays, and the target's in any case."""
        found: dict[object, Judged] = {}
        for group in case.groups:
            for own in group.candidates:
                masks = TARGET if own.name == TARGET else own.digests
                if masks not in found:
                    verdict = self.audits.verdict(Wanted(case.row, own, case.frames), self.args.rule)
                    found[masks] = Judged(own, verdict, group.name)
        return list(found.values())

    def ask(self, title: str) -> None:
        self.audits.ask((one for case in self.cases for one in case.wanted()), title)
