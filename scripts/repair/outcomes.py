"""What each policy takes for one expression, with its scores and costs."""

from __future__ import annotations

from dataclasses import dataclass, field

from dataset.referring.masks import MaskFolder, SoftMask
from scripts.repair.candidates import FIRST, GEOMETRIC, TARGET
from scripts.repair.cases import Case, Repair
from scripts.repair.policies import KEEP, ORACLE, RANDOM, REFERENCES, Choice, Judged, choose, refer
from scripts.segment.mask_scoring import make_stack
from utils.scores.protocols import Stack, strict_j, strict_scores, tgs_scores
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
    """The choices of all policies for one case, with the scores of what they take."""
    judged, args, row = repair.judged(case), repair.args, case.row
    paths = repair.data.truth_paths(row)
    without_truth = [frame for frame, path in enumerate(paths) if not path.is_file()]

    def masks_of(name: str) -> list[SoftMask | None]:
        own = next(one.candidate for one in judged if one.name == name)
        return folder.read(row) if name == FIRST else list(repair.shop.store.read(row.key, own))

    def stack_of(name: str, protocol: str) -> Stack:
        return make_stack(masks_of(name), paths, protocol, without_truth)

    truths = {one.name: strict_j(stack_of(one.name, "strict")) for one in judged}
    outcome = Outcome(case, judged, truths)
    for policy in args.policy:
        outcome.choices[policy] = choose(policy, judged)
    for policy in REFERENCES:
        outcome.choices[policy] = refer(policy, judged, truths, row.key, args.seed)
    for name in {FIRST, *(choice.name for choice in outcome.choices.values())}:
        for protocol in args.protocols:
            score = strict_scores if protocol == "strict" else tgs_scores
            outcome.scores[protocol, name] = score(stack_of(name, protocol), False)
    return outcome
