"""New candidates: from words, with a segmenter, or from the mask that an audit finds fault with."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np

from dataset.media.images import read_upright_frame
from dataset.media.lengths import NUM_FRAMES
from dataset.referring.expressions import Expression
from dataset.referring.layout import ReferringData
from dataset.referring.masks import SoftMask
from models.segmenting.found import FoundObject, TextSegmenter
from models.segmenting.segment import Segmenter
from scripts.repair import shapes
from scripts.repair.candidates import FIRST, Candidate, CandidateStore, Group, Made, digest
from scripts.repair.verdicts import Verdict


@dataclass
class Workshop:
    """Makes candidates and keeps them in `store`. `segmenters`: name -> segmenter; `settings`: what decides its masks.

    `objects`: how many objects of one text become candidates. `sam2` makes masks of dilated and eroded ones anew.
    `pictures`: the name of the last video -> its ten frames, RGB uint8 (H, W, 3): expressions of a video come in a row.
    """

    data: ReferringData
    store: CandidateStore
    segmenters: dict[str, TextSegmenter]
    settings: dict[str, dict]
    objects: int
    sam2: Segmenter | None = None
    pictures: dict[str, list[np.ndarray]] = field(default_factory=dict)

    def first(self, row: Expression, masks: list[SoftMask | None]) -> Group:
        """The masks to repair, at the sizes of the frames; a frame without a mask has an empty one."""
        sizes = [picture.shape[:2] for picture in self._pictures(row)]
        made = [(mask or SoftMask.empty(size)).resized(size) for mask, size in zip(masks, sizes, strict=True)]
        return self.store.get(row.key, FIRST, {"how": FIRST, **_digests(made)}, lambda: ({FIRST: made}, 0.0, 0))

    def from_words(self, row: Expression, name: str, words: str, segmenter: str, start: int) -> Group:
        """What a segmenter finds for words: the best object of each frame, then objects followed from frame `start`."""
        if segmenter != next(iter(self.segmenters)):
            name = f"{name}@{segmenter}"
        made_from = {"how": "words", "words": words, "start": start, "objects": self.objects}
        made_from |= {"segmenter": segmenter, "settings": self.settings[segmenter]}

        def make() -> tuple[Made, float, int]:
            began = time.perf_counter()
            pictures = self._pictures(row)
            found = self.segmenters[segmenter].in_frames(pictures, words, self.objects)
            sizes = [picture.shape[:2] for picture in pictures]
            made = {name: [_soft(own[0] if own else None, size) for own, size in zip(found, sizes, strict=True)]}
            for number in range(len(found[start])):
                made[f"{name}_object_{number + 1}"] = follow(found, sizes, start, number)
            return made, time.perf_counter() - began, NUM_FRAMES

        return self.store.get(row.key, name, made_from, make)

    def from_shape(
        self, row: Expression, name: str, parent: Candidate, verdict: Verdict, target: Candidate | None
    ) -> Group | None:
        """What the verdict asks for, done to the parent's masks; None for a verdict without such a repair.

        cutout: holes are filled. merge: the part that overlaps most with what the target's name was found to be.
        dilate, erode: SAM2 is prompted by the mask, and by its box; without SAM2, the rim that explains the IoU goes or
        is added.
        """
        how, iou = verdict.said.mask_type, round(verdict.expected, 2)
        if how not in ("cutout", "merge", "dilate", "erode") or (how == "merge" and target is None):
            return None
        made_from = {"how": how, "iou": iou, "parent": list(parent.digests), "sam2": self.sam2 is not None}
        made_from["target"] = list(target.digests) if target and how == "merge" else None

        def make() -> tuple[Made, float, int]:
            began = time.perf_counter()
            masks = [mask.hard for mask in self.store.read(row.key, parent)]
            others = [mask.hard for mask in self.store.read(row.key, target)] if how == "merge" else []
            changed = self._changed(row, how, iou, masks, others)
            made = {f"{name}_{way}": list(map(SoftMask, own)) for way, own in changed.items()}
            looked = NUM_FRAMES * sum(way.startswith("sam2") for way in changed)
            return made, time.perf_counter() - began, looked

        return self.store.get(row.key, name, made_from, make)

    def _changed(
        self, row: Expression, how: str, iou: float, masks: list[np.ndarray], others: list[np.ndarray]
    ) -> dict[str, list[np.ndarray]]:
        if how == "cutout":
            return {"filled": [shapes.filled(m) for m in masks], "closed": [shapes.closed(m) for m in masks]}
        if how == "merge":
            pairs = list(zip(masks, others, strict=True))
            return {"part": [shapes.part_of(*pair) for pair in pairs], "overlap": [own & other for own, other in pairs]}
        if self.sam2 is not None:
            return {
                "sam2_box": [self._boxed(row, frame, mask) for frame, mask in enumerate(masks)],
                "sam2_mask": [self._refined(row, frame, mask) for frame, mask in enumerate(masks)],
            }
        change, way = (shapes.narrowed, "narrowed") if how == "dilate" else (shapes.widened, "widened")
        return {way: [change(mask, iou) if mask.any() else mask for mask in masks]}

    def _boxed(self, row: Expression, frame: int, mask: np.ndarray) -> np.ndarray:
        return self.sam2(self._pictures(row)[frame], [shapes.box_of(mask)])[0] if mask.any() else mask

    def _refined(self, row: Expression, frame: int, mask: np.ndarray) -> np.ndarray:
        return self.sam2.refine(self._pictures(row)[frame], mask) if mask.any() else mask

    def _pictures(self, row: Expression) -> list[np.ndarray]:
        vid = self.data.media_vid(row)
        if vid not in self.pictures:
            paths = [self.data.frame_path(vid, frame) for frame in range(NUM_FRAMES)]
            self.pictures = {vid: [read_upright_frame(path) for path in paths]}
        return self.pictures[vid]


def follow(found: list[list[FoundObject]], sizes: list[tuple[int, int]], start: int, number: int) -> list[SoftMask]:
    """One object of frame `start` through the frames before and after it: in each, the object that overlaps most.

    Where none overlaps, the mask is empty, and the next frame is compared with the last one that was found.
    """
    masks: list[SoftMask] = [SoftMask.empty(size) for size in sizes]
    for order in (range(start, len(found)), range(start - 1, -1, -1)):
        last = found[start][number]
        for frame in order:
            same_size = [one for one in found[frame] if one.mask.shape == last.mask.shape]
            best = max(same_size, key=lambda one: _iou(one.mask, last.mask), default=None)  # noqa: B023 used at once
            if best is not None and _iou(best.mask, last.mask) > 0:
                last, masks[frame] = best, _soft(best, sizes[frame])
    return masks


def _soft(found: FoundObject | None, size: tuple[int, int]) -> SoftMask:
    return SoftMask(found.mask, found.soft) if found else SoftMask.empty(size)


def _iou(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / max(1, (one | other).sum()))


def _digests(masks: list[SoftMask]) -> dict:
    return {"masks": [digest(mask.hard) for mask in masks]}
