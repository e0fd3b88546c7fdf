"""Masks that may replace the first ones, on disk, with how they were made. What has been made is not made again.

<root>/<key>/<name>/0000{0..9}.png, and soft masks beside them (`dataset.referring.masks`)
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from dataset.media.lengths import NUM_FRAMES
from dataset.referring.expressions import Expression
from dataset.referring.masks import MaskFolder, SoftMask, mask_file, write_masks
from utils.record_log import RecordLog

FIRST, TARGET, GEOMETRIC = "first", "target", "geometric"


@dataclass(frozen=True)
class Candidate:
    """Ten masks of one expression. `digests`: of each frame's mask; `areas`: pixels inside."""

    name: str
    digests: tuple[str, ...]
    areas: tuple[int, ...]

    @property
    def is_empty(self) -> bool:
        return not any(self.areas)


@dataclass(frozen=True)
class Group:
    """Candidates that were made together. `made_from`: how, as plain values; `seconds`: how long it took.

    `segmented`: how many frames a segmenter looked at.
    """

    key: str
    name: str
    made_from: dict
    candidates: tuple[Candidate, ...]
    seconds: float = 0.0
    segmented: int = 0

    def named(self, name: str) -> Candidate | None:
        return next((one for one in self.candidates if one.name == name), None)


Made = dict[str, list[SoftMask]]  # name of a candidate -> its ten masks


class CandidateStore:
    """Keeps groups of candidates in a folder, with a log of them."""

    def __init__(self, root: Path, run: dict):
        self.root = root
        self.log = RecordLog(root / "groups.jsonl", run)
        self.groups = {(record["key"], record["name"]): _group(record) for record in self.log.records}

    def get(self, key: str, name: str, made_from: dict, make: Callable[[], tuple[Made, float, int]]) -> Group:
        """The group of that name, as it was made from the same before; otherwise it is made, and kept.

        `make` gives the masks, the seconds that it took, and the frames that were segmented. A candidate whose masks
        are all empty, or those of an earlier one, is kept only if it is the group's first.
        """
        known = self.groups.get((key, name))
        if known and known.made_from == made_from and all(self._is_there(key, one) for one in known.candidates):
            return known
        made, seconds, segmented = make()
        kept: list[Candidate] = []
        for own, masks in made.items():
            candidate = Candidate(own, *_describe(masks))
            if kept and (candidate.is_empty or candidate.digests in [one.digests for one in kept]):
                continue
            write_masks(self.root / key, own, masks, with_soft=any(mask.soft is not None for mask in masks))
            kept.append(candidate)
        group = Group(key, name, made_from, tuple(kept), round(seconds, 3), segmented)
        self.log.add([asdict(group)])
        self.groups[key, name] = group
        return group

    def mask_path(self, key: str, candidate: Candidate, frame: int) -> Path:
        return mask_file(self.root / key, candidate.name, frame)

    def read(self, key: str, candidate: Candidate) -> list[SoftMask]:
        stands_for = Expression(candidate.name, "", 0, "")
        return [mask for mask in MaskFolder(self.root / key).read(stands_for) if mask is not None]

    def _is_there(self, key: str, candidate: Candidate) -> bool:
        return all(self.mask_path(key, candidate, frame).is_file() for frame in range(NUM_FRAMES))


def _group(record: dict) -> Group:
    candidates = (Candidate(one["name"], tuple(one["digests"]), tuple(one["areas"])) for one in record["candidates"])
    return Group(**record | {"candidates": tuple(candidates)})


def _describe(masks: list[SoftMask]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    return tuple(digest(mask.hard) for mask in masks), tuple(int(mask.hard.sum()) for mask in masks)


def digest(mask: np.ndarray) -> str:
    """Of (H, W) bool, in 16 hex digits."""
    return hashlib.sha256(repr(mask.shape).encode() + np.packbits(mask).tobytes()).hexdigest()[:16]
