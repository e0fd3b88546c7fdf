"""What each policy takes for one expression, with its scores and costs."""

from __future__ import annotations

from dataclasses import dataclass, field

from dataset.referring.masks import MaskFolder, SoftMask
from scripts.repair.candidates import FIRST, GEOMETRIC, TARGET
from scripts.repair.cases import Case, Repair
from scripts.repair.policies import KEEP, ORACLE, RANDOM, REFERENCES, Choice, Judged, choose, refer
from scripts.segment.mask_scoring import make_stack, read_truths
from utils.scores.protocols import strict_j, strict_scores, tgs_scores
from utils.scores.repairs import Taken


@dataclass
class Outcome:
    """One case: its candidates, what each policy takes, and scores: protocol, name of a candidate -> metric -> value.

    `truths`: J of every candidate.
    """

    case: Case
    judged: list[Judged]
    truths: dict[str, float]
    choices: dict[str, Choice] = field(default_factory=dict)
    scores: dict[tuple[str, str], dict[str, float]] = field(default_factory=dict)

    def candidate(self, policy: str) -> Judged:
        return next(one for one in self.judged if one.name == self.choices[policy].name)

    def is_changed(self, policy: str) -> bool:
        return self.candidate(policy).candidate.digests != self.judged[0].candidate.digests

    def taken(self, policy: str, protocol: str) -> Taken:
        before, after = (self.scores[protocol, name] for name in (FIRST, self.choices[policy].name))
        audits, segmented = self.cost(policy)
        return Taken(self.case.row.vid, before, after, self.is_changed(policy), audits, segmented)

    def cost(self, policy: str) -> tuple[int, int]:
        """How many masks had to be audited, and how many frames segmented."""
        per_audit, groups = len(self.case.frames), {group.name: group for group in self.case.groups}
        if policy in (KEEP, RANDOM, ORACLE):
            return 0, 0
        if policy == "best_of":
            return per_audit * len(self.judged), sum(group.segmented for group in self.case.groups)
        if policy == "geometric":
            own = [one for one in self.judged if one.group in (FIRST, GEOMETRIC)]
            return per_audit * len(own), groups[GEOMETRIC].segmented if GEOMETRIC in groups else 0
        return per_audit, groups[TARGET].segmented if self.choices[policy].is_segmented else 0


def outcome_of(repair: Repair, case: Case, folder: MaskFolder) -> Outcome:
    """The choices of all policies for one case, with the scores of what they take.

    Masks are large: those of one candidate at a time are in memory, and are read a second time only if the oracle, or
    chance, takes what no policy takes.
    """
    args, row, outcome = repair.args, case.row, Outcome(case, repair.judged(case), {})
    truths = {name: read_truths(repair.data.truth_paths(row), name) for name in {"strict", *args.protocols}}

    def masks_of(one: Judged) -> list[SoftMask | None]:
        return folder.read(row) if one.name == FIRST else list(repair.shop.store.read(row.key, one.candidate))

    def score(one: Judged, masks: list[SoftMask | None]) -> None:
        for protocol in args.protocols:
            measure = strict_scores if protocol == "strict" else tgs_scores
            outcome.scores[protocol, one.name] = measure(make_stack(masks, truths[protocol]), False)

    outcome.choices = {policy: choose(policy, outcome.judged) for policy in args.policy}
    taken = {FIRST, *(choice.name for choice in outcome.choices.values())}
    for one in outcome.judged:
        masks = masks_of(one)
        outcome.truths[one.name] = strict_j(make_stack(masks, truths["strict"]))
        if one.name in taken:
            score(one, masks)
    for policy in REFERENCES:
        outcome.choices[policy] = refer(policy, outcome.judged, outcome.truths, row.key, args.seed)
        one = outcome.candidate(policy)
        if one.name not in taken:
            taken.add(one.name)
            score(one, masks_of(one))
    return outcome
