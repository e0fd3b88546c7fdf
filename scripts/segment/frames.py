"""Runs object models over many frames (paper Sec. 3.2, 3.3).

Each result is logged as soon as it is there. A run that was interrupted continues after the last one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from tqdm import tqdm

from dataset.construction.negatives import negatives_line
from dataset.media.images import read_upright_frame
from models.segmenting.chain import ChainFolders, load_chain
from models.segmenting.detect import load_detector
from scripts.program import resolve_device
from utils.record_log import RecordLog


@dataclass(frozen=True)
class Question:
    """Which objects other than the target does this frame show?"""

    frame_path: Path
    target_object: str


def count_objects(
    detector_path: str, device: str, videos: dict[str, list[Path]], log_path: Path
) -> dict[str, list[int]]:
    """vid -> paths of its frames becomes vid -> how many objects the detector finds in each of these frames."""
    log = RecordLog(log_path, {"detector_path": detector_path})
    counts = {record["vid"]: record["num_objects"] for record in log.records}
    if todo := [vid for vid in videos if vid not in counts]:
        detector = load_detector(Path(detector_path), *device_and_dtype(device))
        for vid in tqdm(todo, desc="detecting objects", unit="video"):
            counts[vid] = [detector(read_upright_frame(path)) for path in videos[vid]]
            log.add([{"vid": vid, "num_objects": counts[vid]}])
    return counts


def propose_negatives(
    folders: ChainFolders, device: str, questions: dict[tuple[str, int], Question], log_path: Path
) -> list[dict]:
    """Ask the chain of models one question for each (uid, frame number).

    Returns one line for each frame as `dataset.construction.negatives.FileNegatives` reads it. Its "none_because" is
    the reason when no object was found, otherwise None.
    """
    log = RecordLog(log_path, asdict(folders))
    known = {(record["uid"], record["frame"]) for record in log.records}
    if todo := {key: question for key, question in questions.items() if key not in known}:
        chain = load_chain(folders, *device_and_dtype(device))
        for (uid, frame), question in tqdm(todo.items(), desc="proposing negatives", unit="frame"):
            objects, reason = chain.find_others(read_upright_frame(question.frame_path), question.target_object)
            log.add([negatives_line(uid, frame, objects) | {"none_because": reason}])
    return log.records


def device_and_dtype(name: str) -> tuple[torch.device, torch.dtype]:
    """The device, and the dtype of matrix products on it."""
    device = resolve_device(name)
    return device, torch.float32 if device.type == "cpu" else torch.bfloat16
