"""metadata.csv against the split files, and files of the benchmark that nothing refers to.

Looks at names and values only, as they stand in the files: also at those that the reader replaces by the published
rules. What masks look like is left to `frames`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dataset.benchmark.annotations import META_DIR, read_entries
from dataset.benchmark.metadata import CsvRow, int_or_none, read_metadata
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
    """Entries that disagree with their row, values that the reader would hide, and rows that no split file uses."""
    used: set[tuple[str, str]] = set()
    by_split = {split: read_metadata(root / META_DIR / "metadata.csv", Benchmark(root), split) for split in SPLITS}
    for file in files:
        for uid, entry in read_entries(file.path):
            row = by_split[file.split].get(uid)
            if row is None:
                continue  # the reader's own finding
            used.add((row.split, uid))
            if row.split != file.split:
                yield _finding(file, uid, "metadata", f"expected split {file.split} in metadata.csv, got '{row.split}'")
            yield from _row_findings(file, row, entry)
            for frame in _frames(entry):
                yield from _frame_findings(file, row, frame)
    for split, rows in by_split.items():
        for row in rows.values():
            belongs = row.split == split or (split == TRAIN and row.split not in SPLITS)
            if belongs and (row.split, row.uid) not in used:
                text = f"metadata.csv: expected masks of each uid in a split file of {row.split}, got none"
                yield Finding(row.uid, f"{META_DIR}/metadata.csv", "metadata", text)


def _row_findings(file: SplitFile, row: CsvRow, entry: dict) -> Iterator[Finding]:
    """What both files say of a uid has to be the same."""
    from_uid = vid_of(row.uid)
    if file.protocol == "train" and row.vid not in ("", from_uid):
        text = f"vid: expected {from_uid} in metadata.csv, as training takes it from the uid, got '{row.vid}'"
        yield _finding(file, row.uid, "metadata", text)
    for key in ("vid", "kfid", "exp"):
        in_csv, in_json = getattr(row, key), entry.get(key)
        if in_json is not None and in_csv != "" and str(in_json).split() != str(in_csv).split():
            text = f"{key}: expected '{in_csv}' as in metadata.csv, got '{in_json}'"
            yield _finding(file, row.uid, "metadata", text)
    if not any(True for frame in _frames(entry) for _ in _masks(frame)):
        yield _finding(file, row.uid, "metadata", "expected masks, got an entry without any")


def _frame_findings(file: SplitFile, row: CsvRow, frame: dict) -> Iterator[Finding]:
    number = int_or_none(frame.get("frame") if file.protocol == "video" else row.kfid)
    image = frame.get("image_path")
    shown = int_or_none(Path(image).stem) if isinstance(image, str) else None
    if file.protocol != "train" and None not in (number, shown) and number != shown:
        yield _finding(file, row.uid, "metadata", f"image_path: expected frame {number}, got {image}")
    for mask_type, mask in _masks(frame):
        yield from _mask_findings(file, row.uid, mask_type, mask)


def _mask_findings(file: SplitFile, uid: str, mask_type: str, mask: dict) -> Iterator[Finding]:
    """Values that the reader does not pass on, or not as written.

    Ranks that are no numbers, wrong objects that the answer does not name, and what tests take for granted: a perfect
    mask is 1.0 and accept, full_neg is reject.
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
    if file.protocol == "train" or forced is None:
        return
    if action is not None and (not isinstance(action, str) or normalize_action(action) != forced):
        yield Finding(uid, str(where), "action", f"{where}: action: expected '{forced}', got {action!r}")
    is_one = isinstance(iou, (int, float)) and abs(iou - 1) <= IOU_TOLERANCE
    if mask_type == "perfect" and iou is not None and not is_one:
        yield Finding(uid, str(where), "iou", f"{where}: iou_to_gt: expected 1.0 of a perfect mask, got {iou!r}")


def _frames(entry: dict) -> list[dict]:
    """The frames of an entry; an image or training entry is its own only one."""
    frames = entry.get("frames")
    return [frame for frame in frames if isinstance(frame, dict)] if isinstance(frames, list) else [entry]


def _masks(frame: dict) -> Iterator[tuple[str, dict]]:
    """(type as written, mask) of a frame; what is not of the right kind is left to the reader to complain about."""
    part_neg = frame.get("part_neg_masks")
    lists = {"perfect": [frame.get("gt_mask_path")], **(part_neg if isinstance(part_neg, dict) else {})}
    lists |= {name: frame.get(f"{name}_masks") for name in ("full_neg", "null")}
    for mask_type, masks in lists.items():
        for mask in masks if isinstance(masks, list) else []:
            mask = {"mask_path": mask} if isinstance(mask, str) else mask
            if isinstance(mask, dict) and isinstance(mask.get("mask_path"), str):
                yield mask_type, mask


def orphan_findings(root: Path, files: list[SplitFile], samples: list[AuditSample]) -> Iterator[Finding]:
    """Files in the folders of the masks, and videos among the media, that no split file refers to.

    What lies at the top of the benchmark or beside the split files (reports, licences) may be anything.
    """
    entries = [entry for file in files for entry in read_entries(file.path)]
    masks = {mask["mask_path"] for _, entry in entries for frame in _frames(entry) for _, mask in _masks(frame)}
    media = {path for s in samples for path in (s.frame_path, s.audio_path, *s.video_paths)}
    used = {name for path in masks | media if (name := _inside(root, path))}
    tops = {Path(name).parts[0] for path in masks if (name := _inside(root, path)) and len(Path(name).parts) > 1}
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
    """The path relative to the root as text; None for one that leaves it."""
    base = Path(os.path.normpath(root.absolute()))
    full = Path(os.path.normpath(base / path))
    for start in (base, root.resolve()):
        if full.is_relative_to(start):
            return full.relative_to(start).as_posix()
    return None


def _files_below(root: Path, top: str) -> Iterable[str]:
    for folder, folders, names in os.walk(root / top):
        folders.sort()
        yield from ((Path(folder) / name).relative_to(root).as_posix() for name in sorted(names))


def _finding(file: SplitFile, uid: str, kind: str, text: str) -> Finding:
    return Finding(uid, f"{META_DIR}/{file.name}", kind, f"{file.name}: {text}")
