"""Makes a planned benchmark on disk: the masks, video by video, then the split files.

The result of each finished video is kept in the progress folder (see `progress`), so an interrupted build continues
with the next video.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import threading
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context, parent_process
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from dataset.benchmark.annotations import META_DIR, split_text
from dataset.benchmark.entries import MaskEntry, sample_entry
from dataset.benchmark.metadata import CsvRow, metadata_text
from dataset.construction.candidates import MadeMask, MissingMask, make_candidates
from dataset.construction.negatives import NegativeSource, usable_negatives
from dataset.construction.plan import Instance, Plan
from dataset.construction.progress import PROGRESS_DIR, write_whole
from dataset.construction.referrals import Referral
from dataset.construction.source import RefAVSBench
from dataset.media.images import encode_mask, read_mask
from dataset.media.lengths import NUM_FRAMES
from utils.splits import split_file_name
from utils.text_files import read_json


@dataclass(frozen=True)
class VideoBuilder:
    """Makes all media files, masks and entries of one video, for the benchmark in `root`."""

    source: RefAVSBench
    negatives: NegativeSource
    root: Path
    seed: int

    def __call__(self, video: list[Instance]) -> list[dict]:
        """Write media and masks of one video's instances. Returns their entries and the masks that cannot be made."""
        self._copy_media(video[0].referral.vid)
        return [self._build(instance) for instance in video]

    def _copy_media(self, vid: str) -> None:
        for frame in range(NUM_FRAMES):
            self._write(f"media/{vid}/frames/{frame}.jpg", self.source.frame_path(vid, frame).read_bytes())
        self._write(f"media/{vid}/audio.wav", self.source.audio_path(vid).read_bytes())

    def _build(self, instance: Instance) -> dict:
        referral, missing = instance.referral, []
        frames: dict[int, list[tuple[MadeMask, bytes]]] = {}
        for frame in instance.frames:
            made, lacking = self._frame_masks(instance, frame)
            frames[frame] = [(mask, encode_mask(mask.mask)) for mask in made]
            missing += [asdict(item) | {"uid": referral.uid, "frame": frame} for item in lacking]
        if instance.protocol == "video":
            missing += _keep_shared_types(frames, referral.uid)
        entries = {frame: self._write_masks(instance, frame, masks) for frame, masks in frames.items()}
        return {
            "uid": referral.uid,
            "split": referral.split,
            "protocol": instance.protocol,
            "entry": sample_entry(csv_row(referral), entries, instance.protocol),
            "missing": missing,
        }

    def _frame_masks(self, instance: Instance, frame: int) -> tuple[list[MadeMask], list[MissingMask]]:
        referral = instance.referral
        gt = read_mask(self.source.mask_path(referral.vid, referral.fid, frame))
        try:
            negatives = usable_negatives(gt, self.negatives(referral, frame))
        except ValueError as error:
            raise ValueError(f"{referral.uid}, frame {frame}: {error}") from None
        seed = f"{self.seed}/{referral.split}/{instance.protocol}/{referral.uid}/{frame}"
        rng = np.random.default_rng(list(hashlib.sha256(seed.encode()).digest()))
        return make_candidates(gt, referral.target_object, negatives, rng)

    def _write_masks(self, instance: Instance, frame: int, masks: list[tuple[MadeMask, bytes]]) -> list[MaskEntry]:
        folder = f"masks/{instance.referral.split}/{instance.referral.uid}"
        prefix = f"{folder}/video/{frame}_" if instance.protocol == "video" else f"{folder}/"
        entries = []
        for made, png in masks:
            path = f"{prefix}{made.name}.png"
            self._write(path, png)
            entries.append(MaskEntry(path, made.audit, made.response, made.rank, made.negative_object))
        return entries

    def _write(self, where: str, content: bytes) -> None:
        write_whole(self.root, where, content)


def _keep_shared_types(frames: dict[int, list[tuple[MadeMask, bytes]]], uid: str) -> list[dict]:
    """Removes mask types that are not in all frames: all frames of a video have the same types (paper Sec. 3.3).

    cutout, dilate and erode are compared by type and rank, merge and full_neg only by type: a frame has up to three of
    each. Returns what was removed.
    """

    def kind(made: MadeMask) -> tuple:
        return made.audit.mask_type, made.rank if made.negative_object is None else None

    kinds = {frame: {kind(made) for made, _ in masks} for frame, masks in frames.items()}
    shared = set.intersection(*kinds.values())
    missing = []
    for frame, masks in frames.items():
        frames[frame] = [(made, png) for made, png in masks if kind(made) in shared]
    for mask_type, rank in sorted(set.union(*kinds.values()) - shared, key=str):
        lacking = [frame for frame in kinds if (mask_type, rank) not in kinds[frame]]
        reason = f"video mode needs it in every frame; frames {', '.join(map(str, lacking))} cannot have it"
        missing.append({"mask_type": mask_type, "rank": rank, "reason": reason, "uid": uid, "frame": None})
    return missing


def csv_row(referral: Referral) -> CsvRow:
    """The referral's row of the benchmark's metadata.csv."""
    return CsvRow(referral.vid, referral.uid, referral.split, referral.fid, referral.expression, referral.kfid)


def build_videos(plan: Plan, builder: VideoBuilder, num_workers: int) -> list[dict]:
    """The results of all videos, in the plan's order. Videos that an earlier run has finished are not made again."""
    videos: dict[str, list[Instance]] = {}
    for instance in plan.instances:
        videos.setdefault(instance.referral.vid, []).append(instance)
    progress = builder.root / PROGRESS_DIR / "videos"
    results = {vid: progress / f"{i}.json" for i, vid in enumerate(videos)}
    todo = {vid: instances for vid, instances in videos.items() if not results[vid].is_file()}
    with tqdm(total=len(videos), initial=len(videos) - len(todo), desc="building masks", unit="video") as bar:
        for vid, result in zip(todo, _map_videos(builder, list(todo.values()), num_workers), strict=True):
            write_whole(builder.root, results[vid].relative_to(builder.root), json.dumps(result).encode())
            bar.update()
    return [result for path in results.values() for result in read_json(path)]


def _map_videos(builder: VideoBuilder, videos: list[list[Instance]], num_workers: int) -> Iterable[list[dict]]:
    if num_workers <= 1 or len(videos) <= 1:
        yield from map(builder, videos)
        return
    pool = ProcessPoolExecutor(num_workers, get_context("spawn"), _start_worker, (builder,))
    try:
        yield from pool.map(_run_worker, videos)
    finally:
        pool.shutdown(cancel_futures=True)


def _start_worker(builder: VideoBuilder) -> None:
    global _worker_builder
    _worker_builder = builder
    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the main process
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this worker when the main process is killed. Otherwise it would write files while the next run does, too."""
    parent_process().join()
    os._exit(1)


def _run_worker(video: list[Instance]) -> list[dict]:
    return _worker_builder(video)


def write_splits(root: Path, plan: Plan, results: list[dict]) -> None:
    """Write metadata.csv and the split files."""
    rows = {i.referral.uid: csv_row(i.referral) for i in plan.instances}
    write_whole(root, f"{META_DIR}/metadata.csv", metadata_text(list(rows.values())).encode())
    groups: dict[tuple[str, str], list[tuple[str, dict]]] = {}
    for result in results:
        groups.setdefault((result["split"], result["protocol"]), []).append((result["uid"], result["entry"]))
    for (split, protocol), entries in groups.items():
        write_whole(root, f"{META_DIR}/{split_file_name(split, protocol)}", split_text(protocol, entries).encode())
