"""The parts of a build that run models: counting objects for key frames, and proposing negatives (paper Sec. 3.2, 3.3).

What is found is logged as it comes; a build that goes on does not ask again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from configs.construction import BuildArguments
from dataset.benchmark.entries import NUM_FRAMES
from dataset.construction.negatives import negatives_line
from dataset.construction.plan import Plan
from dataset.construction.progress import PROGRESS_DIR, write_whole
from dataset.construction.source import RefAVSBench
from dataset.media.images import read_upright_frame
from models.segmenting.boxes import Box
from models.segmenting.detecting import load_detector
from models.segmenting.grounding import load_grounder
from models.segmenting.naming import Namer
from models.segmenting.qwen import load_qwen
from models.segmenting.segmenting import load_segmenter
from scripts.program import resolve_device
from utils.record_log import RecordLog

NEGATIVES = "negatives.jsonl"  # kept beside the benchmark: `--negatives file` can build from it again
UNREADABLE, NOTHING_NAMED, NOTHING_FOUND = "the reply could not be read", "no object named", "no named object found"
Grounder = Callable[[np.ndarray, list[str]], list[Box]]
Segmenter = Callable[[np.ndarray, list[tuple]], np.ndarray]


def detect_objects(args: BuildArguments, source: RefAVSBench, vids: Iterable[str], root: Path) -> dict[str, list[int]]:
    """vid -> how many objects the detector sees in each of the ten frames."""
    log = RecordLog(root / PROGRESS_DIR / "detections.jsonl", {"detector_path": args.detector_path})
    counts = {record["vid"]: record["num_objects"] for record in log.records}
    if todo := [vid for vid in vids if vid not in counts]:
        detector = load_detector(Path(args.detector_path), *_device_and_dtype(args))
        for vid in tqdm(todo, desc="detecting objects", unit="video"):
            frames = (read_upright_frame(source.frame_path(vid, t)) for t in range(NUM_FRAMES))
            counts[vid] = [detector(frame) for frame in frames]
            log.add([{"vid": vid, "num_objects": counts[vid]}])
    return counts


def propose_negatives(
    args: BuildArguments, source: RefAVSBench, plan: Plan, root: Path
) -> tuple[Path, dict[str, list[str]]]:
    """Ask the published chain about every frame of the plan: names, then boxes, then masks.

    Gives the file of negatives, and the frames without any by reason.
    """
    paths = {name: getattr(args, name) for name in ("namer_path", "grounder_path", "segmenter_path")}
    log = RecordLog(root / PROGRESS_DIR / NEGATIVES, paths)
    known = {(record["uid"], record["frame"]) for record in log.records}
    frames = {(i.referral.uid, frame): i.referral for i in plan.instances for frame in i.frames}
    if todo := {key: referral for key, referral in frames.items() if key not in known}:
        propose = _load_chain(args)
        for (uid, frame), referral in tqdm(todo.items(), desc="proposing negatives", unit="frame"):
            image = read_upright_frame(source.frame_path(referral.vid, frame))
            objects, reason = propose(image, referral.target_object)
            log.add([negatives_line(uid, frame, objects) | {"none_because": reason}])
    write_whole(root, NEGATIVES, "".join(json.dumps(record) + "\n" for record in log.records).encode())
    notes: dict[str, list[str]] = {}
    for record in log.records:
        if record["none_because"]:
            notes.setdefault(record["none_because"], []).append(f"{record['uid']} frame {record['frame']}")
    return root / NEGATIVES, notes


def _load_chain(
    args: BuildArguments,
) -> Callable[[np.ndarray, str], tuple[list[tuple[str, np.ndarray]], str | None]]:
    runtime = _device_and_dtype(args)
    namer = Namer(load_qwen(Path(args.namer_path), *runtime))
    grounder = load_grounder(Path(args.grounder_path), *runtime)
    segmenter = load_segmenter(Path(args.segmenter_path), *runtime)
    return lambda image, target_object: find_others(image, target_object, namer, grounder, segmenter)


def find_others(
    image: np.ndarray, target_object: str, namer: Namer, grounder: Grounder, segmenter: Segmenter
) -> tuple[list[tuple[str, np.ndarray]], str | None]:
    """Named (H, W) bool masks of objects that are not the target, and where there are none the reason."""
    reply = namer(image, target_object)
    if not reply.parsed:
        return [], UNREADABLE
    if not reply.names:
        return [], NOTHING_NAMED
    boxes = grounder(image, reply.names)
    if not boxes:
        return [], NOTHING_FOUND
    masks = segmenter(image, [box.box for box in boxes])
    return [(box.name, mask) for box, mask in zip(boxes, masks, strict=True)], None


def _device_and_dtype(args: BuildArguments) -> tuple[torch.device, torch.dtype]:
    device = resolve_device(args.device)
    return device, torch.float32 if device.type == "cpu" else torch.bfloat16
