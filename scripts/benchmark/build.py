"""Build MQ-RAVSBench from a segmentation dataset with ground-truth masks (paper Sec. 3).

  python -m scripts.benchmark.build --source_dir ../Ref-AVSBench --output_dir ../MQ-RAVSBench

A build that was cut off goes on where it stopped when it is started again. What was left out, and which masks an object
could not have, stands in OUTPUT/build_report.json.
"""

from __future__ import annotations

import json
import logging
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path

from tqdm import tqdm

from configs.construction import BuildArguments
from dataset.construction.build import VideoBuilder, build_videos, write_splits
from dataset.construction.negatives import FileNegatives, GroundTruthNegatives, NegativeSource
from dataset.construction.plan import Areas, Plan, Sizes, choose_referrals, count_visible, make_plan, object_areas
from dataset.construction.progress import PROGRESS_DIR, REPORT, building, is_built, write_whole
from dataset.construction.referrals import Referral
from dataset.construction.source import METADATA, RefAVSBench
from dataset.samples import Problem
from dataset.validation import BadData, listing
from scripts.benchmark.models import detect_objects, propose_negatives
from scripts.program import run_program
from utils.run_record import fingerprint

logger = logging.getLogger(__name__)

# These settings do not change what is built.
INCIDENTAL = ("source_dir", "output_dir", "num_workers", "device")


def build(args: BuildArguments) -> None:
    """Build the benchmark that the arguments describe, or go on with it; prints what it holds."""
    source, root = RefAVSBench(args.source_dir), Path(args.output_dir)
    if is_built(root, run := _run(args, source)):
        logger.info("%s is built already; nothing is done", root)
    else:
        with building(root, run):
            plan = _plan(args, source, root)
            negatives, negative_notes = _negatives(args, source, plan, root)
            results = build_videos(plan, VideoBuilder(source, negatives, root, args.seed), args.num_workers)
            write_splits(root, plan, results)
            report = _report(run, source, plan, results, negative_notes)
            write_whole(root, REPORT, (json.dumps(report, indent=1) + "\n").encode())
    print(_summary(json.loads((root / REPORT).read_bytes())))


def _run(args: BuildArguments, source: RefAVSBench) -> dict:
    """What decides the result."""
    settings = {name: value for name, value in asdict(args).items() if name not in INCIDENTAL}
    files = {"metadata.csv": source.root / METADATA, "negatives_file": args.negatives_file}
    return settings | {f"{name} is": fingerprint(path) for name, path in files.items() if path is not None}


def _plan(args: BuildArguments, source: RefAVSBench, root: Path) -> Plan:
    """The plan of this build: as an earlier run has made it, or made now and kept."""
    where = Path(PROGRESS_DIR) / "plan.json"
    if (root / where).is_file():
        return Plan.from_json(json.loads((root / where).read_bytes()))
    sizes = _sizes(args)
    referrals = choose_referrals(source, sizes, args.seed)
    if not referrals:
        raise ValueError(f"{source.root / METADATA}: expected referrals of train, test_s or test_u, got none of use")
    referrals, bad = _good_referrals(args, source, referrals)
    areas = _areas(source, referrals, args.num_workers)
    num_objects = _object_counts(args, source, root, areas)
    plan = make_plan(referrals, areas, num_objects, sizes, args.seed)
    for problem in bad:
        plan.leave_out("a file of its video cannot be used", f"{problem.uid}: {problem.text}")
    taken = {referral.uid for referral in referrals} | {problem.uid for problem in bad}
    for referral in source.referrals:
        if referral.uid not in taken:
            plan.leave_out("not chosen: enough expressions or videos of its split", referral.uid)
    write_whole(root, where, json.dumps(plan.as_json()).encode())
    return plan


def _object_counts(
    args: BuildArguments, source: RefAVSBench, root: Path, areas: dict[str, Areas]
) -> Callable[[str], list[int]] | None:
    """vid -> number of objects in each of its frames; None where the key frames are given."""
    if args.key_frame == "given":
        return None
    if args.key_frame == "gt":
        return lambda vid: count_visible(areas[vid])
    return detect_objects(args, source, areas, root).__getitem__


def _sizes(args: BuildArguments) -> Sizes:
    return Sizes(
        args.train_per_video,
        args.test_per_video,
        {"train": args.num_train_videos, "test_s": args.num_test_s_videos, "test_u": args.num_test_u_videos},
        {"test_s": args.video_mode_test_s, "test_u": args.video_mode_test_u},
    )


def _good_referrals(
    args: BuildArguments, source: RefAVSBench, referrals: list[Referral]
) -> tuple[list[Referral], list[Problem]]:
    """The referrals whose files are all right, and what is wrong with the others. Raises BadData (`fail`)."""
    problems = source.problems(referrals, args.num_workers)
    if problems and args.on_bad_sample == "fail":
        raise BadData(listing(source.root, problems) + "\n(--on_bad_sample skip builds without them)")
    bad = {problem.uid for problem in problems}
    good = [referral for referral in referrals if referral.uid not in bad]
    if not good:
        raise BadData(listing(source.root, problems))
    return good, problems


def _areas(source: RefAVSBench, referrals: list[Referral], num_threads: int) -> dict[str, Areas]:
    vids = list(dict.fromkeys(referral.vid for referral in referrals))
    with ThreadPoolExecutor(num_threads) as pool:
        areas = pool.map(partial(object_areas, source), vids)
        return dict(zip(vids, tqdm(areas, total=len(vids), desc="looking for key frames", unit="video"), strict=True))


def _negatives(
    args: BuildArguments, source: RefAVSBench, plan: Plan, root: Path
) -> tuple[NegativeSource, dict[str, list[str]]]:
    """Where wrong objects come from, and what is to be said of it in the report."""
    if args.negatives == "gt":
        return GroundTruthNegatives(source), {}
    if args.negatives == "file":
        return FileNegatives(Path(args.negatives_file)), {}
    path, notes = propose_negatives(args, source, plan, root)
    return FileNegatives(path), notes


def _report(
    run: dict, source: RefAVSBench, plan: Plan, results: list[dict], negative_notes: dict[str, list[str]]
) -> dict:
    """What the benchmark holds, what was left out of it and why, and which masks some objects could not have."""
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
    """uid, and in video mode the frame, wherever no full_neg and merge masks could be made."""
    return [
        f"{result['uid']} frame {frame['frame']}" if "frame" in frame else result["uid"]
        for result in results
        for frame in _frames(result)
        if not frame["full_neg_masks"]
    ]


def _frames(result: dict) -> list[dict]:
    return result["entry"].get("frames", [result["entry"]])


def _summary(report: dict) -> str:
    """The report in a few lines."""
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


def main(argv: list[str] | None = None) -> int:
    return run_program("build", (BuildArguments,), build, argv, __doc__)


if __name__ == "__main__":
    sys.exit(main())
