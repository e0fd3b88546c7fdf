"""build_report.json: what a benchmark holds, what was left out of it, and why."""

from __future__ import annotations

from collections import Counter

from dataset.construction.plan import Plan
from dataset.construction.source import RefAVSBench


def make_report(
    run: dict, source: RefAVSBench, plan: Plan, results: list[dict], negative_notes: dict[str, list[str]]
) -> dict:
    """What the benchmark holds, what was left out and why, and which masks could not be made."""
    return {
        "run": run,
        "counts": _counts(results),
        "frames_without_negatives": _without_negatives(results),
        "left_out": source.left_out | plan.left_out,
        "notes": plan.notes,
        "negatives": negative_notes,
        "masks_not_made": [missing for result in results for missing in result["missing"]],
    }


def _counts(results: list[dict]) -> dict:
    counts: dict[str, Counter] = {}
    for result in results:
        name = result["split"] if result["protocol"] == "train" else f"{result['split']} {result['protocol']}"
        count = counts.setdefault(name, Counter())
        count["referrals"] += 1
        for frame in _frames(result):
            masks = {"perfect": [frame["gt_mask_path"]], "full_neg": frame["full_neg_masks"], **frame["part_neg_masks"]}
            count.update({mask_type: len(found) for mask_type, found in masks.items()})
    return {name: dict(count) | {"masks": sum(count.values()) - count["referrals"]} for name, count in counts.items()}


def _without_negatives(results: list[dict]) -> list[str]:
    """The uids, in video mode with the frame, for which no full_neg and merge masks could be made."""
    found = []
    for result in results:
        for frame in _frames(result):
            if not frame["full_neg_masks"]:
                found.append(f"{result['uid']} frame {frame['frame']}" if "frame" in frame else result["uid"])
    return found


def _frames(result: dict) -> list[dict]:
    return result["entry"].get("frames", [result["entry"]])


def summarize(report: dict) -> str:
    """The report as a few lines for the terminal."""
    lines = [
        f"{name}: {count['referrals']} referrals, {count['masks']} masks" for name, count in report["counts"].items()
    ]
    lines += [f"left out: {len(uids)} rows: {reason}" for reason, uids in report["left_out"].items()]
    lines += report["notes"]
    if report["frames_without_negatives"]:
        lines.append(f"{len(report['frames_without_negatives'])} frames have no wrong object: no full_neg, no merge")
    lines += [f"negatives: {len(uids)} frames: {what}" for what, uids in report["negatives"].items()]
    missing = Counter((item["mask_type"], item["rank"]) for item in report["masks_not_made"])
    lines += [
        f"not made: {n} x {kind}{'' if rank is None else f' of rank {rank}'}" for (kind, rank), n in missing.items()
    ]
    return "\n".join(lines)
