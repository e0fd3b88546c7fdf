"""Compares metadata.csv with the split files, and finds files that no split file names.

Looks at the values exactly as they are written, also where the reader of a benchmark replaces them by fixed ones.
The pixels of masks are checked in `frames`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dataset.benchmark.agreement import frame_doubts, frames_of, row_doubts
from dataset.benchmark.annotations import META_DIR, read_entries
from dataset.benchmark.metadata import CsvRow, read_metadata
from dataset.benchmark.samples import AuditSample, Benchmark
from dataset.benchmark.uids import vid_of
from dataset.verification.findings import Finding
from dataset.verification.label_rules import IOU_TOLERANCE
from utils.audit import normalize_action
from utils.splits import SPLITS, TRAIN, split_file_name

MEDIA_DIRS = ("media", "media_cross")


@dataclass(frozen=True)
class SplitFile:
    """One of the five split files. `protocol` is train, image or video."""

    root: Path
    split: str
    protocol: str

    @property
    def name(self) -> str:
        return split_file_name(self.split, self.protocol)

    @property
    def path(self) -> Path:
        return self.root / META_DIR / self.name


def metadata_findings(root: Path, files: list[SplitFile]) -> Iterator[Finding]:
    """Entries that differ from their row, values that the reader would hide, and rows that no split file uses."""
    used: set[tuple[str, str]] = set()
    by_split = {split: read_metadata(root / META_DIR / "metadata.csv", Benchmark(root), split) for split in SPLITS}
    for file in files:
        for uid, entry in read_entries(file.path):
            row = by_split[file.split].get(uid)
            if row is None:
                continue  # the reader of the benchmark reports it
            used.add((row.split, uid))
            if row.split != file.split:
                yield _finding(file, uid, "metadata", f"expected split {file.split} in metadata.csv, got '{row.split}'")
            yield from _row_findings(file, row, entry)
            for frame in frames_of(entry):
                yield from _frame_findings(file, row, frame)
    for split, rows in by_split.items():
        for row in rows.values():
            belongs = row.split == split or (split == TRAIN and row.split not in SPLITS)
            if belongs and (row.split, row.uid) not in used:
                text = f"metadata.csv: expected masks of each uid in a split file of {row.split}, got none"
                yield Finding(row.uid, f"{META_DIR}/metadata.csv", "metadata", text)


def _row_findings(file: SplitFile, row: CsvRow, entry: dict) -> Iterator[Finding]:
    for text in row_doubts(row, entry, file.protocol):
        yield _finding(file, row.uid, "metadata", text)
    if not any(True for frame in frames_of(entry) for _ in _masks(frame)):
        yield _finding(file, row.uid, "metadata", "expected masks, got an entry without any")


def _frame_findings(file: SplitFile, row: CsvRow, frame: dict) -> Iterator[Finding]:
    for text in frame_doubts(row, frame, file.protocol):
        yield _finding(file, row.uid, "metadata", text)
    for mask_type, mask in _masks(frame):
        yield from _mask_findings(file, row.uid, mask_type, mask)


def _mask_findings(file: SplitFile, uid: str, mask_type: str, mask: dict) -> Iterator[Finding]:
    """Faults in values that the reader ignores or replaces.

    These are: a rank that is not a number, a negative object that the answer does not name, and, in test splits, an IoU
    or action other than the fixed one. A perfect mask has IoU 1.0 and accept, a full_neg mask reject.
    """
    where, rank, iou, action = (mask.get(key) for key in ("mask_path", "rank", "iou_to_gt", "action"))
    if rank is not None and (not isinstance(rank, int) or isinstance(rank, bool)):
        yield Finding(uid, str(where), "rank", f"{where}: rank: expected a whole number, got {rank!r}")
    negative, response = mask.get("negative_object"), mask.get("response") or ""
    is_named = isinstance(negative, str) and negative.strip() and (not response or negative in str(response))
    if negative is not None and not is_named:
        text = f"{where}: negative_object: expected an object that the response names, got {negative!r}"
        yield Finding(uid, str(where), "response", text)
    forced = {"perfect": "accept", "full_neg": "reject"}.get(mask_type)
    if file.protocol == TRAIN or forced is None:
        return
    if action is not None and (not isinstance(action, str) or normalize_action(action) != forced):
        yield Finding(uid, str(where), "action", f"{where}: action: expected '{forced}', got {action!r}")
    is_one = isinstance(iou, (int, float)) and abs(iou - 1) <= IOU_TOLERANCE
    if mask_type == "perfect" and iou is not None and not is_one:
        yield Finding(uid, str(where), "iou", f"{where}: iou_to_gt: expected 1.0 of a perfect mask, got {iou!r}")


def _masks(frame: dict) -> Iterator[tuple[str, dict]]:
    """(type as written, mask) for each mask of a frame. Values of a wrong kind are skipped; the reader reports them."""
    lists = {"perfect": [frame.get("gt_mask_path")]}
    if isinstance(frame.get("part_neg_masks"), dict):
        lists |= frame["part_neg_masks"]
    lists |= {name: frame.get(f"{name}_masks") for name in ("full_neg", "null")}
    for mask_type, masks in lists.items():
        if not isinstance(masks, list):
            continue
        for mask in masks:
            if isinstance(mask, str):
                mask = {"mask_path": mask}
            if isinstance(mask, dict) and isinstance(mask.get("mask_path"), str):
                yield mask_type, mask


def orphan_findings(root: Path, files: list[SplitFile], samples: list[AuditSample]) -> Iterator[Finding]:
    """Files in the folders of masks, and videos in the folders of media, that no split file uses.

    Other files are allowed at the top of the benchmark and beside the split files: reports, licences.
    """
    entries = [entry for file in files for entry in read_entries(file.path)]
    frames = [frame for _, entry in entries for frame in frames_of(entry)]
    masks = _inside_all(root, {mask["mask_path"] for frame in frames for _, mask in _masks(frame)})
    media = {path for sample in samples for path in (sample.frame_path, sample.audio_path, *sample.video_paths)}
    used = masks | _inside_all(root, media)
    tops = {name.split("/")[0] for name in masks if "/" in name}
    for top in sorted(tops - {META_DIR}):
        for name in _files_below(root, top):
            if name not in used:
                text = f"{name}: expected only files that a split file names, got one that none does"
                yield Finding(None, name, "orphan", text)
    vids = {sample.vid for sample in samples} | {str(entry.get("vid")) for _, entry in entries}
    yield from _unused_videos(root, vids | {vid_of(uid) for uid, _ in entries})


def _unused_videos(root: Path, vids: set[str]) -> Iterator[Finding]:
    tops = {Path(vid).parts[0] for vid in vids if Path(vid).parts}
    for folder in (root / name for name in MEDIA_DIRS if (root / name).is_dir()):
        for path in sorted(folder.iterdir()):
            if path.name not in tops:
                name = f"{folder.name}/{path.name}"
                text = f"{name}: expected only videos that a split file uses, got one that none does"
                yield Finding(None, name, "orphan", text)


def _inside(root: Path, path: str | Path) -> str | None:
    """The path relative to the root, as text with "/"; None for a path outside the root."""
    base = Path(os.path.normpath(root.absolute()))
    full = Path(os.path.normpath(base / path))
    for start in (base, root.resolve()):
        if full.is_relative_to(start):
            return full.relative_to(start).as_posix()
    return None


def _inside_all(root: Path, paths: Iterable[str | Path]) -> set[str]:
    """The same for several paths; those outside the root are left out."""
    return {name for path in paths if (name := _inside(root, path))}


def _files_below(root: Path, top: str) -> Iterable[str]:
    for folder, folders, names in os.walk(root / top):
        folders.sort()
        yield from ((Path(folder) / name).relative_to(root).as_posix() for name in sorted(names))


def _finding(file: SplitFile, uid: str, kind: str, text: str) -> Finding:
    return Finding(uid, f"{META_DIR}/{file.name}", kind, f"{file.name}: {text}")
