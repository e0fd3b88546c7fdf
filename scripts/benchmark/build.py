"""Build MQ-RAVSBench from a segmentation dataset with ground-truth masks (paper Sec. 3).

  python -m scripts.benchmark.build --source_dir ../Ref-AVSBench --output_dir ../MQ-RAVSBench

Start an interrupted build again with the same command: it continues where it stopped. The file OUTPUT/build_report.json
says what was left out, and which masks could not be made.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from configs.construction import BuildArguments
from dataset.benchmark.validation import BadData, listing
from dataset.construction.build import VideoBuilder, build_videos, write_splits
from dataset.construction.choice import Choice, choose_referrals
from dataset.construction.negatives import FileNegatives, GroundTruthNegatives, NegativeSource
from dataset.construction.plan import Areas, Plan, Sizes, count_visible, make_plan
from dataset.construction.progress import PROGRESS_DIR, REPORT, building, is_built, write_whole
from dataset.construction.source import METADATA, RefAVSBench
from dataset.media.lengths import NUM_FRAMES
from scripts.benchmark.build_report import make_report, summarize
from scripts.program import run_program
from utils.run_record import fingerprint
from utils.text_files import read_json

logger = logging.getLogger(__name__)

NEGATIVES = "negatives.jsonl"  # stays in the benchmark's folder: `--negatives file` can build from it again
# These settings do not change what is built.
INCIDENTAL = ("source_dir", "output_dir", "num_workers", "device")
SKIP_HINT = "\n(--on_bad_sample skip builds without them)"


def build(args: BuildArguments) -> None:
    """Build the benchmark that the arguments describe, or continue its build. Prints a summary."""
    source, root = RefAVSBench(args.source_dir, args.allow_links), Path(args.output_dir)
    if args.negatives_file and not Path(args.negatives_file).is_file():
        raise FileNotFoundError(f"--negatives_file {args.negatives_file}: no such file")
    if is_built(root, run := _run(args, source)):
        logger.info("%s is built already; nothing is done", root)
    else:
        if source.row_problems and args.on_bad_sample == "fail":
            raise BadData(listing(source.root, source.row_problems) + SKIP_HINT)
        if args.negatives == "file":
            FileNegatives(Path(args.negatives_file)).check()
        with building(root, run):
            plan = _plan(args, source, root)
            negatives, negative_notes = _negatives(args, source, plan, root)
            results = build_videos(plan, VideoBuilder(source, negatives, root, args.seed), args.num_workers)
            write_splits(root, plan, results)
            report = make_report(run, source, plan, results, negative_notes)
            write_whole(root, REPORT, (json.dumps(report, indent=1) + "\n").encode())
    print(summarize(read_json(root / REPORT)))


def _run(args: BuildArguments, source: RefAVSBench) -> dict:
    """Everything that decides the result of a build: settings, and fingerprints of the files that it reads."""
    settings = {name: value for name, value in asdict(args).items() if name not in INCIDENTAL}
    files = {"metadata.csv": source.root / METADATA, "negatives_file": args.negatives_file}
    return settings | {f"{name} is": fingerprint(path) for name, path in files.items() if path is not None}


def _plan(args: BuildArguments, source: RefAVSBench, root: Path) -> Plan:
    """The plan of this build: read if an earlier run has made it, otherwise made and written."""
    where = Path(PROGRESS_DIR) / "plan.json"
    if (root / where).is_file():
        return Plan.from_json(read_json(root / where))
    sizes, choice = _sizes(args), _choice(args, source)
    num_objects = _object_counts(args, source, root, choice.areas)
    plan = make_plan(choice.referrals, choice.areas, num_objects, sizes, args.seed)
    plan.left_out = _passed_over(choice, source)
    write_whole(root, where, json.dumps(plan.as_json()).encode())
    return plan


def _passed_over(choice: Choice, source: RefAVSBench) -> dict[str, list[str]]:
    """reason -> uids of rows that are usable but not in the benchmark."""
    texts: dict[str, list[str]] = {}
    for problem in choice.problems:
        texts.setdefault(problem.uid, []).append(problem.text)
    bad_vids = {referral.vid for referral in source.referrals if referral.uid in texts}
    known = {referral.uid for referral in choice.referrals}.union(*choice.hidden.values())
    unusable, not_chosen = [], []
    for referral in source.referrals:
        uid = referral.uid
        if uid in known:
            continue
        if referral.vid not in bad_vids:
            not_chosen.append(uid)
        else:
            unusable.append(f"{uid}: {'; '.join(texts[uid])}" if uid in texts else uid)
    reasons = choice.hidden | {
        "a file of its video cannot be used": unusable,
        "not chosen: enough expressions or videos of its split": not_chosen,
    }
    return {reason: uids for reason, uids in reasons.items() if uids}


def _object_counts(
    args: BuildArguments, source: RefAVSBench, root: Path, areas: dict[str, Areas]
) -> Callable[[str], list[int]] | None:
    """A function from a vid to the number of objects in each of its frames; None if the key frames are given."""
    if args.key_frame == "given":
        return None
    if args.key_frame == "gt":
        return lambda vid: count_visible(areas[vid])
    from scripts.segment.frames import count_objects  # here, since it imports torch and transformers

    videos = {vid: [source.frame_path(vid, t) for t in range(NUM_FRAMES)] for vid in areas}
    counts = count_objects(args.detector_path, args.device, videos, root / PROGRESS_DIR / "detections.jsonl")
    return counts.__getitem__


def _sizes(args: BuildArguments) -> Sizes:
    return Sizes(
        args.train_per_video,
        args.test_per_video,
        {"train": args.num_train_videos, "test_s": args.num_test_s_videos, "test_u": args.num_test_u_videos},
        {"test_s": args.video_mode_test_s, "test_u": args.video_mode_test_u},
    )


def _choice(args: BuildArguments, source: RefAVSBench) -> Choice:
    """The referrals of the benchmark.

    Raises BadData when none is usable. With `--on_bad_sample fail`, it is also raised for the first unusable files.
    """
    replace_bad = args.on_bad_sample == "skip"
    given = args.key_frame == "given"
    choice = choose_referrals(source, _sizes(args), args.seed, given, args.num_workers, replace_bad)
    if choice.problems and not replace_bad:
        raise BadData(listing(source.root, choice.problems) + SKIP_HINT)
    if not choice.referrals and choice.problems:
        raise BadData(listing(source.root, choice.problems))
    if not choice.referrals:
        raise ValueError(f"{source.root / METADATA}: expected referrals of train, test_s or test_u, got none of use")
    return choice


def _negatives(
    args: BuildArguments, source: RefAVSBench, plan: Plan, root: Path
) -> tuple[NegativeSource, dict[str, list[str]]]:
    """The source of negatives, and notes for the report: note -> frames or lines of the file."""
    if args.negatives == "gt":
        return GroundTruthNegatives(source), {}
    if args.negatives == "file":
        negatives = FileNegatives(Path(args.negatives_file))
        used = {(instance.referral.uid, frame) for instance in plan.instances for frame in instance.frames}
        unused = [f"line {number}: {uid} frame {t}" for number, uid, t in negatives.lines() if (uid, t) not in used]
        return negatives, {"in the file, but not of this benchmark": unused} if unused else {}
    return _proposed_negatives(args, source, plan, root)


def _proposed_negatives(
    args: BuildArguments, source: RefAVSBench, plan: Plan, root: Path
) -> tuple[NegativeSource, dict[str, list[str]]]:
    """Negatives found by models, written to negatives.jsonl. The notes: reason -> frames without negatives."""
    from models.segmenting.chain import ChainFolders  # here, since it imports torch and transformers
    from scripts.segment.frames import Question, propose_negatives

    questions = {
        (instance.referral.uid, frame): Question(
            source.frame_path(instance.referral.vid, frame), instance.referral.target_object
        )
        for instance in plan.instances
        for frame in instance.frames
    }
    folders = ChainFolders(args.namer_path, args.grounder_path, args.segmenter_path)
    lines = propose_negatives(folders, args.device, questions, root / PROGRESS_DIR / NEGATIVES)
    write_whole(root, NEGATIVES, "".join(json.dumps(line) + "\n" for line in lines).encode())
    notes: dict[str, list[str]] = {}
    for line in lines:
        if line["none_because"]:
            notes.setdefault(line["none_because"], []).append(f"{line['uid']} frame {line['frame']}")
    return FileNegatives(root / NEGATIVES), notes


def main(argv: list[str] | None = None) -> int:
    return run_program("build", (BuildArguments,), build, argv, __doc__)


if __name__ == "__main__":
    sys.exit(main())
