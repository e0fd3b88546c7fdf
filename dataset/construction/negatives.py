"""Negatives: the other objects of a frame, from which full_neg and merge masks are made (paper Sec. 3.2).

A source of negatives is called with a referral and a frame number and returns named masks. There are two sources:
ground-truth masks, and a file. Masks that models propose are written to such a file. `usable_negatives` decides which
of the masks a benchmark takes.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from dataset.benchmark.entries import path_inside
from dataset.construction.referrals import Referral
from dataset.construction.source import RefAVSBench
from dataset.media.images import read_mask
from utils.run_length import decode_rle, encode_rle
from utils.text_files import unrepeated
from utils.words import fault_of_words

MAX_NEGATIVES = 3
MIN_PIXELS = 30
SAME_OBJECT = 0.8  # an object whose IoU with the target is at least this is the target itself


@dataclass(frozen=True)
class Negative:
    """An object that is not the target: a short noun phrase and its (H, W) bool mask."""

    name: str
    mask: np.ndarray


NegativeSource = Callable[[Referral, int], list[Negative]]


def usable_negatives(gt: np.ndarray, objects: list[Negative]) -> list[Negative]:
    """At most three of the objects, hardest first, without the pixels that they share with the target.

    The hardest one is that whose box overlaps the target's box most; of equal ones, that whose box is nearest. Dropped
    are objects of which fewer than 30 pixels remain, and the target itself, if it was annotated or detected twice.
    Raises ValueError for a mask of another size.
    """
    kept = []
    for negative in objects:
        if negative.mask.shape != gt.shape:
            raise ValueError(
                f"mask of '{negative.name}': expected the ground truth's size {gt.shape}, got {negative.mask.shape}"
            )
        union = np.count_nonzero(gt | negative.mask)
        rest = negative.mask & ~gt
        if np.count_nonzero(rest) >= MIN_PIXELS and np.count_nonzero(gt & negative.mask) < SAME_OBJECT * union:
            kept.append(Negative(negative.name, rest))
    distinct = list({negative.mask.tobytes(): negative for negative in reversed(kept)}.values())[::-1]
    target = box_of(gt)
    distinct.sort(key=lambda negative: (-box_iou(target, box := box_of(negative.mask)), box_gap(target, box)))
    return distinct[:MAX_NEGATIVES]


def box_of(mask: np.ndarray) -> tuple[int, int, int, int]:
    """(top, left, bottom, right) of a mask that is not empty; bottom and right are one past the last pixel."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def box_iou(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> float:
    """Intersection over union of two boxes (top, left, bottom, right)."""
    height = min(one[2], other[2]) - max(one[0], other[0])
    width = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(0, height) * max(0, width)
    areas = [(bottom - top) * (right - left) for top, left, bottom, right in (one, other)]
    return shared / (sum(areas) - shared)


def box_gap(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> float:
    """Distance of two boxes (top, left, bottom, right) in pixels; 0 if they touch or overlap."""
    down = max(one[0], other[0]) - min(one[2], other[2])
    across = max(one[1], other[1]) - min(one[3], other[3])
    return float(np.hypot(max(0, down), max(0, across)))


class GroundTruthNegatives:
    """The ground-truth masks of the video's other objects. This source needs no model."""

    def __init__(self, source: RefAVSBench):
        self.source = source

    def __call__(self, referral: Referral, frame: int) -> list[Negative]:
        names = self.source.object_names(referral.vid)
        masks = self.source.read_masks(referral.vid, frame)
        return [Negative(names[fid], mask) for fid, mask in sorted(masks.items()) if fid != referral.fid]


def negatives_line(uid: str, frame: int, objects: list[tuple[str, np.ndarray]]) -> dict:
    """One line of a file of negatives: the named (H, W) bool masks of one frame, run-length coded."""
    listed = [{"name": name, "segmentation": encode_rle(mask)} for name, mask in objects]
    return {"uid": uid, "frame": frame, "objects": listed}


class FileNegatives:
    """Masks from a file: those of the user, or those that models proposed. One JSON line for each uid and frame.

    {"uid": ..., "frame": 3, "objects": [{"name": "red car", "segmentation": {"size": [H, W], "counts": ...}}, ...]}
    with COCO run-length codes; or "mask_path" instead of "segmentation", relative to the file's folder and inside it.
    Raises FileNotFoundError, or ValueError naming the line.
    """

    def __init__(self, path: Path):
        self.path = Path(path)
        if not self.path.is_file():
            raise FileNotFoundError(f"{path}: no such file of negatives")
        self._lines: dict[tuple[str, int], tuple[int, int]] = {}
        with self.path.open("rb") as file:
            position = 0
            for number, line in enumerate(file, start=1):
                if line.strip():
                    self._index(line, number, position)
                position += len(line)

    def _index(self, line: bytes, number: int, position: int) -> None:
        where = f"{self.path}, line {number}"
        try:
            row = json.loads(line.removeprefix(codecs.BOM_UTF8), object_pairs_hook=unrepeated)
            key, objects = (row["uid"], row["frame"]), row["objects"]
        except (ValueError, TypeError, KeyError, RecursionError):
            raise ValueError(f"{where}: expected an object with uid, frame and objects, got {line[:60]!r}") from None
        if not (isinstance(key[0], str) and type(key[1]) is int and isinstance(objects, list)):
            raise ValueError(f"{where}: expected uid as text, frame as a number and objects as a list")
        if key in self._lines:
            raise ValueError(f"{where}: expected each uid and frame once, got {key[0]}, frame {key[1]} twice")
        self._lines[key] = number, position

    def check(self) -> None:
        """Read every mask once. Raises ValueError naming the first line that cannot be used."""
        for uid, frame in tqdm(self._lines, desc="checking negatives", unit="frame", leave=False):
            self.read(uid, frame)

    def lines(self) -> Iterator[tuple[int, str, int]]:
        """Number, uid and frame of every line."""
        return ((number, uid, frame) for (uid, frame), (number, _) in self._lines.items())

    def __call__(self, referral: Referral, frame: int) -> list[Negative]:
        return self.read(referral.uid, frame)

    def read(self, uid: str, frame: int) -> list[Negative]:
        """The objects of one uid and frame; an empty list if the file has no line for them."""
        number, position = self._lines.get((uid, frame), (0, None))
        if position is None:
            return []
        with self.path.open("rb") as file:
            file.seek(position)
            objects = json.loads(file.readline().removeprefix(codecs.BOM_UTF8))["objects"]
        return [self._negative(item, f"{self.path}, line {number}") for item in objects]

    def _negative(self, item: dict, where: str) -> Negative:
        if not isinstance(item, dict) or not isinstance(item.get("name"), str) or not item["name"].strip():
            raise ValueError(f"{where}: expected each object to have a name, got {str(item)[:60]!r}")
        if fault := fault_of_words(item["name"]):
            raise ValueError(f"{where}: name of an object: {fault}")
        if ("segmentation" in item) == ("mask_path" in item):
            raise ValueError(f"{where}: '{item['name']}': expected segmentation or mask_path, one of them")
        try:
            return Negative(item["name"], self._mask(item))
        except (OSError, ValueError) as error:
            raise ValueError(f"{where}: '{item['name']}': {error}") from None

    def _mask(self, item: dict) -> np.ndarray:
        if "mask_path" in item:
            return read_mask(path_inside(self.path.parent, item["mask_path"]))
        return decode_rle(item["segmentation"])
