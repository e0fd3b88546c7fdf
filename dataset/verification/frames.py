"""Compares all masks of one frame with its ground truth, and all frames of one video with each other.

Only the masks of one frame are in memory at a time. The rules are in `mask_rules` and `label_rules`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from dataset.benchmark.metadata import int_or_none
from dataset.benchmark.samples import AuditSample, Candidate
from dataset.media.images import examine_frame, examine_mask
from dataset.media.lengths import NUM_FRAMES
from dataset.verification.findings import Finding
from dataset.verification.label_rules import label_faults, rank_faults
from dataset.verification.mask_rules import GroundTruth, bounding_box, box_iou, geometry_fault
from utils.mask_types import MASK_TYPES
from utils.splits import TRAIN


def verify_frame(sample: AuditSample) -> list[Finding]:
    """What is wrong with the masks of one sample, in the order of its candidates."""
    return list(_Frame(sample).faults())


class _Frame:
    """The masks of one sample. `masks`: position of the candidate -> mask, for the masks that can be measured."""

    def __init__(self, sample: AuditSample):
        self.sample, self.candidates = sample, sample.candidates
        self.is_train = sample.protocol == TRAIN
        self.masks: dict[int, np.ndarray] = {}
        self.gt: GroundTruth | None = None

    def faults(self) -> Iterator[Finding]:
        yield from self._read()
        yield from self._duplicates()
        perfect = [c for c in self.candidates if c.audit.mask_type == "perfect"]
        if len(perfect) != 1:
            yield self._finding(None, "perfect", f"expected one perfect mask in a frame, got {len(perfect)}")
        if self.gt is None:
            text = f"expected a ground truth to measure {len(self.candidates)} masks with, got none that can be read"
            yield self._finding(perfect[0] if perfect else None, "perfect", text)
            return
        for position in self.masks:
            yield from self._mask_faults(position)
        yield from self._rank_faults()

    def _read(self) -> Iterator[Finding]:
        """Fill `masks` and `gt`. Masks that cannot be read or measured are reported and left out."""
        frame_size, gt_name = self._frame_size(), None
        for position in self._ground_truth_first():
            candidate = self.candidates[position]
            try:
                mask, doubt = examine_mask(candidate.mask_path)
            except (OSError, ValueError) as error:
                yield self._finding(candidate, "file", str(error).removeprefix(f"{candidate.mask_path}: "))
                continue
            if doubt:
                yield self._finding(candidate, "doubt", doubt)
            size = frame_size if self.gt is None else self.gt.mask.shape
            if size and mask.shape != size:
                owner = "frame" if self.gt is None else f"ground truth {gt_name}"
                text = f"size: expected {_size(size)} as the {owner}, got {_size(mask.shape)}"
                yield self._finding(candidate, "size", text)
                if self.gt is not None:
                    continue
            if text := _foreground_fault(mask, candidate.audit.mask_type):
                yield self._finding(candidate, "empty", text)
                continue
            if self.gt is None and candidate.audit.mask_type == "perfect":
                self.gt, gt_name = GroundTruth(mask), candidate.mask_name
            self.masks[position] = mask
        self.masks = dict(sorted(self.masks.items()))

    def _ground_truth_first(self) -> list[int]:
        return sorted(range(len(self.candidates)), key=lambda i: self.candidates[i].audit.mask_type != "perfect")

    def _frame_size(self) -> tuple[int, int] | None:
        """(H, W), or None if the frame cannot be decoded; that is reported with the other media files."""
        try:
            return examine_frame(self.sample.frame_path).upright_size
        except (OSError, ValueError):
            return None

    def _mask_faults(self, position: int) -> Iterator[Finding]:
        candidate, mask = self.candidates[position], self.masks[position]
        if candidate.audit.mask_type != "null":
            fault = geometry_fault(self.gt, candidate.audit.mask_type, mask, self._negatives())
            if fault:
                yield self._finding(candidate, "geometry", fault)
        for kind, text in label_faults(candidate, self.gt.iou(mask), self.is_train):
            yield self._finding(candidate, kind, text)

    def _of_type(self, mask_type: str) -> list[int]:
        return [i for i in self.masks if self.candidates[i].audit.mask_type == mask_type]

    def _is_whole(self, mask_type: str) -> bool:
        """Whether all masks of this type could be read."""
        return len(self._of_type(mask_type)) == sum(c.audit.mask_type == mask_type for c in self.candidates)

    def _negatives(self) -> dict[str, np.ndarray] | None:
        if not self._is_whole("full_neg"):
            return None
        return {self.candidates[i].mask_name: self.masks[i] for i in self._of_type("full_neg")}

    def _rank_faults(self) -> Iterator[Finding]:
        for mask_type in MASK_TYPES:
            ranked = [(self.candidates[i], self._order(i)) for i in self._of_type(mask_type)]
            for name, (kind, text) in rank_faults(mask_type, ranked, self._is_whole(mask_type)):
                yield Finding(self.sample.uid, name, kind, f"{name}: {text}")

    def _order(self, position: int) -> float:
        """The number by which masks of one type are ranked."""
        mask = self.masks[position]
        is_full_neg = self.candidates[position].audit.mask_type == "full_neg"
        return box_iou(self.gt.box, bounding_box(mask)) if is_full_neg else self.gt.iou(mask)

    def _duplicates(self) -> Iterator[Finding]:
        """Files that are listed twice, and files with equal pixels."""
        files: dict[Path, Candidate] = {}
        pixels: dict[tuple, Candidate] = {}
        for position, candidate in enumerate(self.candidates):
            if files.setdefault(candidate.mask_path, candidate) is not candidate:
                yield self._finding(candidate, "duplicate", "expected each mask file once in a frame, got it twice")
            elif position in self.masks:
                mask = self.masks[position]
                first = pixels.setdefault((mask.shape, np.packbits(mask).tobytes()), candidate)
                if first is not candidate:
                    text = f"expected other pixels than in {first.mask_name}, got the same"
                    yield self._finding(candidate, "duplicate", text)

    def _finding(self, candidate: Candidate | None, kind: str, text: str) -> Finding:
        name = f"frame {self.sample.frame_path.name}" if candidate is None else candidate.mask_name
        path = str(self.sample.frame_path) if candidate is None else candidate.mask_name
        return Finding(self.sample.uid, path, kind, f"{name}: {text}")


def verify_videos(samples: Iterable[AuditSample]) -> Iterator[Finding]:
    """Video mode: a uid has the frames 0 to 9, and each mask type is in all of them or in none."""
    videos: dict[str, list[AuditSample]] = {}
    for sample in samples:
        videos.setdefault(sample.uid, []).append(sample)
    for uid, frames in videos.items():
        numbers = [int_or_none(sample.frame_idx) for sample in frames]
        if sorted(numbers, key=str) != list(range(NUM_FRAMES)):
            listed = ", ".join(map(str, numbers))
            yield Finding(uid, None, "video", f"expected the frames 0 to {NUM_FRAMES - 1} once each, got {listed}")
        types: Counter = Counter()
        for sample in frames:
            types.update({candidate.audit.mask_type for candidate in sample.candidates})
        for mask_type in sorted(types):
            if types[mask_type] != len(frames):
                text = f"expected {mask_type} masks in all {len(frames)} frames or in none, got them in"
                yield Finding(uid, None, "video", f"{text} {types[mask_type]}")


def _foreground_fault(mask: np.ndarray, mask_type: str) -> str | None:
    """Null masks are empty and all others are not."""
    has_foreground = mask.any()
    if has_foreground and mask_type == "null":
        return "expected no foreground in a mask of type null, got some"
    if not has_foreground and mask_type != "null":
        return f"expected foreground in a mask of type {mask_type}, got an empty mask"
    return None


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}x{shape[0]}"
