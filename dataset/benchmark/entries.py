"""One uid's entry of a split file, written and read. Faults of an entry are noted; nothing is repaired by guessing.

This module knows the JSON keys of an entry; `annotations` knows which entries belong to which split.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dataset.benchmark.metadata import CsvRow, int_or_none
from dataset.benchmark.samples import AuditSample, Benchmark, Candidate, Problem
from dataset.benchmark.uids import is_null, vid_of
from dataset.media.lengths import NUM_FRAMES
from utils.audit import ACTIONS, Audit, canonical_mask_type, normalize_action
from utils.mask_types import MASK_TYPES
from utils.spelling import existing_path
from utils.words import doubt_of_words, fault_of_response, fault_of_words

logger = logging.getLogger(__name__)
# Of masks whose type decides the action. Test entries of perfect and full_neg masks have it whatever the file says.
FIXED_ACTIONS = {"perfect": "accept", "full_neg": "reject", "null": "reject"}
IOU_SLACK = 1e-6  # the file's numbers may be rounded
Wants = Callable[[str, "int | None"], bool]  # (mask type, rank) -> whether the run asks about such a mask


@dataclass(frozen=True)
class MaskEntry:
    """One mask as a split file lists it. `rank` is None for the perfect one; `mask_path` is relative to the root."""

    mask_path: str
    audit: Audit
    response: str
    rank: int | None = None
    negative_object: str | None = None

    def as_json(self) -> dict:
        entry = {
            "mask_path": self.mask_path,
            "iou_to_gt": round(self.audit.iou, 6),
            "rank": self.rank,
            "action": self.audit.action,
            "response": self.response,
            "negative_object": self.negative_object,
        }
        return {key: value for key, value in entry.items() if value is not None}


def masks_entry(masks: list[MaskEntry]) -> dict:
    """The masks of one frame as a split file has them: gt_mask_path, part_neg_masks by type, full_neg_masks."""
    by_type: dict[str, list[dict]] = {}
    for mask in masks:
        by_type.setdefault(mask.audit.mask_type, []).append(mask.as_json())
    (perfect,), full_neg = by_type.pop("perfect"), by_type.pop("full_neg", [])
    return {"gt_mask_path": perfect, "part_neg_masks": by_type, "full_neg_masks": full_neg}


def sample_entry(row: CsvRow, frames: dict[int, list[MaskEntry]], protocol: str) -> dict:
    """One uid's entry of a split file. `frames`: the masks of the key frame, or in video mode of every frame."""

    def image_path(frame: int) -> str:
        return f"media/{row.vid}/frames/{frame}.jpg"

    head = {"uid": row.uid, "vid": row.vid, "exp": row.exp, "kfid": row.kfid}
    if protocol == "video":
        listed = [{"frame": t, "image_path": image_path(t)} | masks_entry(masks) for t, masks in frames.items()]
        return head | {"frames": listed}
    ((frame, masks),) = frames.items()
    return masks_entry(masks) if protocol == "train" else head | {"image_path": image_path(frame)} | masks_entry(masks)


class BadEntry(ValueError):
    """Raised if a whole uid, or one of its masks, cannot be used."""


class EntryReader:
    """Reads the samples of one uid; faults of single masks are added to `benchmark.problems`."""

    def __init__(self, benchmark: Benchmark, row: CsvRow, entry: dict, protocol: str, wants: Wants):
        self.benchmark, self.row, self.entry, self.protocol, self.wants = benchmark, row, entry, protocol, wants
        self.is_doubted = False  # whether a doubt about its words was told
        # Training derives the vid from the uid and ignores the CSV's (as published); tests use the CSV's.
        from_uid = vid_of(row.uid)
        self.vid = from_uid if protocol == "train" else row.vid or from_uid

    def samples(self) -> Iterator[AuditSample]:
        self.media = self._inside(Path("media") / self.vid)
        if self.protocol == "video":
            frames = [_expect(frame, dict, "frames") for frame in _expect(self.entry.get("frames"), list, "frames")]
            frame_paths = [
                self._inside(frame["image_path"]) for frame in frames if frame.get("image_path") not in (None, "")
            ]
            video = tuple(frame_paths[:NUM_FRAMES]) if len(frame_paths) >= NUM_FRAMES else self._media_frames()
            for frame in frames:
                yield self._sample(frame, video, frame_idx=frame.get("frame"))
        else:
            yield self._sample(self.entry, self._media_frames(), frame_idx=self.row.fid)

    def _sample(self, entry: dict, video: tuple[Path, ...], frame_idx: int | str | None) -> AuditSample:
        expression = self.row.exp or str(self.entry.get("exp") or "")
        if fault := fault_of_words(expression):
            raise BadEntry(f"expression: {fault}")
        if (doubt := doubt_of_words(expression)) and not self.is_doubted:
            logger.warning("%s: expression: %s", self.row.uid, doubt)
            self.is_doubted = True
        return AuditSample(
            uid=self.row.uid,
            vid=self.vid,
            expression=expression,
            frame_idx=frame_idx,
            frame_path=self._frame_path(entry),
            video_paths=video,
            audio_path=self._audio_path(),
            candidates=tuple(self._candidates(entry)),
            protocol=self.protocol,
        )

    def _media_frames(self) -> tuple[Path, ...]:
        return tuple(self.media / "frames" / f"{t}.jpg" for t in range(NUM_FRAMES))

    def _audio_path(self) -> Path:
        if is_null(self.row.uid):
            return self._inside(Path("media_cross") / self.vid) / "audio.wav"
        return self.media / "audio.wav"

    def _frame_path(self, entry: dict) -> Path:
        if self.protocol != "train" and entry.get("image_path") not in (None, ""):
            return self._inside(entry["image_path"])
        if self.protocol == "video":
            choices = (entry.get("frame"), self.row.kfid, self.entry.get("kfid"))
        else:
            choices = (self.row.kfid, entry.get("kfid"), entry.get("frame"))
        key_frame = next((k for k in choices if k not in (None, "")), None)
        if int_or_none(key_frame) is None:
            raise BadEntry(f"metadata.csv: kfid: expected a frame number, got {key_frame!r}")
        return self.media / "frames" / f"{int(key_frame)}.jpg"

    def _candidates(self, entry: dict) -> Iterator[Candidate]:
        for type_name, raw in self._raw_candidates(entry):
            raw = {"mask_path": raw} if isinstance(raw, str) else raw
            try:
                if self.wants(canonical_mask_type(type_name), rank := _rank(raw)):
                    yield self._candidate(type_name, raw, rank)
            except BadEntry as error:
                path = raw.get("mask_path") if isinstance(raw, dict) else raw
                self.benchmark.problems.append(Problem(self.row.uid, str(error), Path(str(path))))

    def _raw_candidates(self, entry: dict) -> Iterator[tuple[str, dict | str]]:
        """In the published order: perfect, the partial errors as listed, full_neg, null."""
        if entry.get("gt_mask_path"):
            yield "perfect", entry["gt_mask_path"]
        for type_name, items in _expect(entry.get("part_neg_masks"), dict, "part_neg_masks").items():
            yield from ((type_name, item) for item in _expect(items, list, type_name))
        for type_name in ("full_neg", "null"):
            items = _expect(entry.get(f"{type_name}_masks"), list, f"{type_name}_masks")
            yield from ((type_name, item) for item in items)

    def _candidate(self, type_name: str, raw: dict | str, rank: int | None) -> Candidate:
        if not isinstance(raw, dict) or not isinstance(raw.get("mask_path"), str):
            raise BadEntry(f"{type_name}: expected an object with a mask_path, got {str(raw)[:60]!r}")
        where, mask_type = raw["mask_path"], canonical_mask_type(type_name)
        if mask_type not in MASK_TYPES:
            raise BadEntry(f"{where}: mask type: expected one of {', '.join(MASK_TYPES)}, got '{type_name}'")
        action = self._action(mask_type, raw)
        for name, value in (("action", action), ("response", raw.get("response"))):
            if not isinstance(value, str | None):
                raise BadEntry(f"{where}: {name}: expected text, got {value!r}")
        if action is not None and normalize_action(action) not in ACTIONS:
            raise BadEntry(f"{where}: action: expected one of {', '.join(ACTIONS)}, got '{action}'")
        if fault := fault_of_response(raw.get("response") or ""):
            raise BadEntry(f"{where}: response: {fault}")
        return Candidate(
            mask_path=self._inside(where),
            mask_name=str(where),
            audit=Audit(mask_type, self._iou(mask_type, raw), action),
            rank=rank,
            response=raw.get("response"),
        )

    def _iou(self, mask_type: str, raw: dict) -> float | None:
        """IoU with the ground truth; a perfect mask has 1.0 by definition in tests and by default in training."""
        value = raw.get("iou_to_gt")
        if mask_type == "perfect" and (self.protocol != "train" or value is None):
            return 1.0
        if value is None:
            return None
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not (-IOU_SLACK <= value <= 1 + IOU_SLACK):
            raise BadEntry(f"{raw['mask_path']}: iou_to_gt: expected a number from 0 to 1, got {value!r}")
        return min(max(float(value), 0.0), 1.0)

    def _action(self, mask_type: str, raw: dict) -> str | None:
        if self.protocol != "train" and mask_type in ("perfect", "full_neg"):
            return FIXED_ACTIONS[mask_type]
        return raw.get("action") or FIXED_ACTIONS.get(mask_type)

    def _inside(self, path: str | Path) -> Path:
        try:
            return path_inside(self.benchmark.root, path)
        except ValueError as error:
            raise BadEntry(str(error)) from None


def _rank(raw: object) -> int | None:
    """The rank of a mask; None if it has none."""
    rank = raw.get("rank") if isinstance(raw, dict) else None
    if rank is None or (type(rank) in (int, float) and rank == int_or_none(rank)):
        return rank if rank is None else int(rank)
    raise BadEntry(f"{raw.get('mask_path')}: rank: expected a whole number, got {rank!r}")


def path_inside(root: Path, path: str | Path) -> Path:
    """The path under `root`, as it is spelled on the disk. Links inside the root may point anywhere; `..` and absolute
    paths may not leave it.

    Raises ValueError for a path that leaves the root.
    """
    if not isinstance(path, (str, Path)):
        raise ValueError(f"path: expected text, got {path!r}")
    normal_root = Path(os.path.normpath(root.absolute()))
    full = Path(os.path.normpath(normal_root / path))
    if not (full.is_relative_to(normal_root) or full.is_relative_to(normal_root.resolve())):
        raise ValueError(f"{path}: expected a path inside {normal_root}, got one that leaves it")
    return existing_path(full)


def _expect(value, kind: type, where: str):
    """The value, an empty one for None. Raises BadEntry for another kind."""
    if value is None:
        return kind()
    if not isinstance(value, kind):
        raise BadEntry(f"{where}: expected {_KINDS[kind]}, got {str(value)[:60]!r}")
    return value


_KINDS = {dict: "an object", list: "a list"}
