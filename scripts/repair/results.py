"""Scores of what every policy takes, as tables, one line for each sample, and pictures of what was repaired."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dataset.referring.masks import MaskFolder, SoftMask
from scripts.repair.candidates import FIRST, GEOMETRIC, TARGET
from scripts.repair.pictures import write_pictures
from scripts.repair.policies import KEEP, ORACLE, REFERENCES, Choice, Judged, choose, refer
from scripts.segment.mask_scoring import make_stack
from utils.reports.repair_tables import repair_tables
from utils.scores.protocols import strict_j, strict_scores, tgs_scores
from utils.scores.repairs import Taken, distance_closed, published_repairs, repair_row
from utils.whole_files import write_json, write_jsonl, write_text

if TYPE_CHECKING:
    from scripts.repair.improving import Case, Repair


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
        if policy in (KEEP, "random", ORACLE):
            return 0, 0
        if policy == "best_of":
            return per_audit * len(self.judged), sum(group.segmented for group in self.case.groups)
        if policy == "geometric":
            own = [one for one in self.judged if one.group in (FIRST, GEOMETRIC)]
            return per_audit * len(own), groups[GEOMETRIC].segmented if GEOMETRIC in groups else 0
        return per_audit, groups[TARGET].segmented if self.choices[policy].is_segmented else 0


def write_results(repair: Repair, folder: MaskFolder, output: Path) -> dict:
    """Writes repairs.json, repairs.md, samples.jsonl, and a picture for each policy; prints the tables."""
    args = repair.args
    outcomes = [_outcome(repair, case, folder) for case in repair.cases]
    kinds = repair.kinds
    policies = [KEEP, *args.policy, *(name for name in REFERENCES if name != KEEP)]
    by_split = {name: [one for one in outcomes if one.case.row.split == name] for name in args.test_name}
    results: dict = {
        "protocols": {
            protocol: {split: _rows(own, policies, protocol) for split, own in by_split.items()}
            for protocol in args.protocols
        },
        "paper": {split: published_repairs(split) for split in by_split},
    }
    if kinds:
        results["kinds_protocol"] = args.protocols[0]
        results["kinds"] = {
            split: {kind: _rows(one, policies, args.protocols[0]) for kind, one in _by_kind(own, kinds).items()}
            for split, own in by_split.items()
        }
    write_json(output / "repairs.json", results)
    write_jsonl(output / "samples.jsonl", (_line(one, kinds) for one in outcomes))
    tables = repair_tables(results)
    write_text(output / "repairs.md", tables + "\n")
    print(tables)
    write_pictures(repair, outcomes, output)
    print(f"written: {output}")
    return results


def _outcome(repair: Repair, case: Case, folder: MaskFolder) -> Outcome:
    """The choices of all policies for one case, with the scores of what they take."""
    judged, args, row = repair.judged(case), repair.args, case.row
    paths = repair.data.truth_paths(row)
    without_truth = [frame for frame, path in enumerate(paths) if not path.is_file()]

    def masks_of(name: str) -> list[SoftMask | None]:
        own = next(one.candidate for one in judged if one.name == name)
        return folder.read(row) if name == FIRST else list(repair.shop.store.read(row.key, own))

    def stack_of(name: str, protocol: str):
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


def _rows(outcomes: list[Outcome], policies: list[str], protocol: str) -> dict[str, dict]:
    rows = {policy: repair_row([one.taken(policy, protocol) for one in outcomes]) for policy in policies}
    return {name: row | {"closed": distance_closed(row, rows[ORACLE])} for name, row in rows.items()}


def _by_kind(outcomes: list[Outcome], kinds: dict[str, str]) -> dict[str, list[Outcome]]:
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for kind in dict.fromkeys(kinds.values()):
        groups[kind] = [one for one in outcomes if kinds.get(one.case.row.uid) == kind]
    return {kind: own for kind, own in groups.items() if own}


def _line(outcome: Outcome, kinds: dict[str, str]) -> dict:
    """What was changed, why, and what it cost."""
    row, first = outcome.case.row, outcome.judged[0]
    made = {group.name: group for group in outcome.case.groups}
    return {
        "key": row.key,
        "split": row.split,
        "expression": row.text,
        "kind": kinds.get(row.uid),
        "audited_frames": list(outcome.case.frames),
        "verdict": _said(first),
        "answers": [one.text for one in first.verdict.frames],
        "candidates": [
            {"name": one.name, "J": outcome.truths[one.name], **_said(one), **_origin(made[one.group])}
            for one in outcome.judged
        ],
        "policies": {policy: _chosen(outcome, policy) for policy in outcome.choices},
    }


def _said(judged: Judged) -> dict:
    said = judged.verdict.said
    values = {"mask_type": said.mask_type, "iou": said.iou, "action": said.action}
    return values | {"expected_iou": round(judged.expected, 4), "target": judged.verdict.target}


def _origin(group) -> dict:
    return {"made_from": {key: group.made_from.get(key) for key in ("how", "words", "segmenter")}} | {
        "seconds": group.seconds,
        "segmented_frames": group.segmented,
    }


def _chosen(outcome: Outcome, policy: str) -> dict:
    choice, (audits, segmented) = outcome.choices[policy], outcome.cost(policy)
    scores = {
        f"{protocol} {metric}": value
        for (protocol, name), own in outcome.scores.items()
        if name == choice.name
        for metric, value in own.items()
    }
    return {
        "takes": choice.name,
        "why": choice.why,
        "is_changed": outcome.is_changed(policy),
        "audits": audits,
        "segmented_frames": segmented,
        **scores,
    }
