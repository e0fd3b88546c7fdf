"""Scores of what every policy takes, as tables, and one line for each sample."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from dataset.referring.masks import MaskFolder
from scripts.repair.candidates import Group
from scripts.repair.cases import Repair
from scripts.repair.outcomes import Outcome, outcome_of
from scripts.repair.pictures import write_pictures
from scripts.repair.policies import KEEP, ORACLE, REFERENCES, Judged
from utils.reports.repair_tables import repair_tables
from utils.scores.repairs import distance_closed, published_repairs, repair_row
from utils.whole_files import write_json, write_jsonl, write_text


def write_results(repair: Repair, folder: MaskFolder, output: Path) -> dict:
    """Writes repairs.json, repairs.md, samples.jsonl, and a picture for each policy; prints the tables."""
    args = repair.args
    outcomes = [outcome_of(repair, case, folder) for case in repair.cases]
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


def _origin(group: Group) -> dict:
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
