"""Writes pictures with masks, from any segmentation dataset, in the layout of Ref-AVSBench.

Each picture becomes a video of ten equal frames. `coco` and `pairs` read the datasets; `source` writes the files.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dataset.benchmark.uids import is_null, make_uid
from dataset.construction.referrals import NAME_ONLY, Referral, is_plain_name
from dataset.construction.source import SourceVideo, SourceWriter
from dataset.media.images import examine_frame
from dataset.media.waveform import examine_sound
from utils.spelling import existing_path
from utils.words import doubt_of_words, fault_of_words

logger = logging.getLogger(__name__)
AUDIO_SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")
DOUBTFUL = "taken with a doubt"
MAX_VID_BYTES, MAX_OBJECT_BYTES = 120, 60


@dataclass(frozen=True)
class StillObject:
    """One object of a picture.

    An object without expressions is referred to as "the <name>", unless another object of the picture has its name.
    """

    name: str
    mask: np.ndarray  # (H, W) bool
    origin: str  # where it was read, for messages
    expressions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Still:
    """One picture, its objects, and its sound if it has one. `name` becomes the vid."""

    name: str
    split: str
    picture: Path
    objects: list[StillObject]
    audio: Path | None = None


@dataclass
class ImportReport:
    """How much was written. `left_out`: reason -> origins of what was not written; `warned`: of what is strange."""

    num_videos: int = 0
    num_objects: int = 0
    num_referrals: int = 0
    left_out: dict[str, list[str]] = field(default_factory=dict)

    warned: dict[str, list[str]] = field(default_factory=dict)

    def leave_out(self, reason: str, origin: str) -> None:
        self.left_out.setdefault(reason, []).append(origin)

    def warn(self, reason: str, origin: str) -> None:
        self.warned.setdefault(reason, []).append(origin)


def write_stills(root: Path, stills: Iterable[Still], report: ImportReport) -> None:
    """Write a folder that `source.RefAVSBench` reads, and add to `report` what was written and what was left out.

    Raises ValueError when a picture, sound or mask cannot be used, or when no expression remains.
    """
    writer, referrals, vids = SourceWriter(root), [], set()
    for still in stills:
        objects = _distinct_objects(still, report)
        vid = _free_vid(still.name, vids)
        new = list(_referrals(vid, still.split, objects, report))
        if all(referral.split == NAME_ONLY for referral in new):
            report.leave_out("no expression about any of its objects", str(still.picture))
            continue
        masks = {fid: item.mask for fid, item in enumerate(objects)}
        try:
            if doubt := examine_frame(still.picture).doubt:
                report.warn(DOUBTFUL, f"{still.picture}: {doubt}")
            waveform = _waveform(still.audio, report)
            writer.write_video(SourceVideo.of_still(vid, still.picture, masks, waveform))
        except ValueError as error:
            raise ValueError(f"{still.picture}: {error}") from None
        vids.add(vid)
        referrals += new
        report.num_objects += len(objects)
    if not referrals:
        reasons = "; ".join(f"{reason} ({len(origins)})" for reason, origins in report.left_out.items())
        raise ValueError(f"expected at least one picture with a mask, got none; left out: {reasons or 'nothing'}")
    writer.write_metadata(referrals)
    report.num_videos = len(vids)
    report.num_referrals = sum(referral.split != NAME_ONLY for referral in referrals)


def find_audio(folder: Path | None, stem: str) -> Path | None:
    """The sound file of that name, if the folder has one."""
    candidates = (existing_path(folder / f"{stem}{suffix}") for suffix in AUDIO_SUFFIXES) if folder else ()
    return next((path for path in candidates if path.is_file()), None)


def clean_expression(text: object, where: str) -> str:
    """The expression on one line. Raises ValueError when it is no text, empty, or has a reserved token."""
    words = " ".join(text.split()) if isinstance(text, str) else ""
    if not words:
        raise ValueError(f"{where}: expected an expression in words, got {str(text)[:60]!r}")
    if fault := fault_of_words(words):
        raise ValueError(f"{where}: {fault}")
    if doubt := doubt_of_words(words):
        logger.warning("%s: %s", where, doubt)
    return words


def expression_by_name(item: StillObject) -> str:
    """For an object that has no expression of its own. Raises as `clean_expression`."""
    return clean_expression(f"the {item.name.replace('_', ' ')}", item.origin)


def _distinct_objects(still: Still, report: ImportReport) -> list[StillObject]:
    """Objects that have pixels; one that is annotated several times is one object with several expressions."""
    distinct: dict[tuple[str, bytes], StillObject] = {}
    names: dict[bytes, str] = {}
    for item in still.objects:
        if not item.mask.any():
            report.leave_out("empty mask", item.origin)
            continue
        key = item.name, np.packbits(item.mask).tobytes()
        if names.setdefault(key[1], item.name) != item.name:
            report.warn("two objects with the same mask and two names", item.origin)
        known = distinct.get(key)
        expressions = dict.fromkeys((known.expressions if known else ()) + item.expressions)
        if known and len(expressions) == len(known.expressions):
            report.warn("the mask of another annotation once more, with nothing new", item.origin)
        distinct[key] = StillObject(item.name, item.mask, item.origin, tuple(expressions))
    return list(distinct.values())


def _referrals(vid: str, split: str, objects: list[StillObject], report: ImportReport) -> Iterator[Referral]:
    """The rows of metadata.csv about one picture. Rows that only name an object have the split NAME_ONLY."""
    named = Counter(item.name for item in objects)
    numbers: Counter = Counter()
    for fid, item in enumerate(objects):
        by_name = (expression_by_name(item),)
        is_ambiguous = not item.expressions and named[item.name] > 1
        if is_ambiguous:
            report.leave_out("no expression, and its picture has several objects of this name", item.origin)
        name = _plain(item.name.replace("_", "-"), MAX_OBJECT_BYTES) or "object"
        for expression in item.expressions or by_name:
            numbers[name] += 1
            uid = make_uid(vid, name, numbers[name])
            yield Referral(vid, uid, NAME_ONLY if is_ambiguous else split, fid, expression)


def _free_vid(name: str, taken: set[str]) -> str:
    """A plain folder name made from `name`, different from those of all other pictures."""
    vid = _plain(unicodedata.normalize("NFC", name), MAX_VID_BYTES) or "picture"
    if is_null(f"{vid}_") or not is_plain_name(vid):
        vid = f"picture-{vid}"
    number, folders = 1, {name.casefold() for name in taken}  # some file systems know no capitals
    while (free := vid if number == 1 else f"{vid}-{number}").casefold() in folders:
        number += 1
    return free


def _plain(text: str, max_bytes: int) -> str:
    """Letters, digits, dots, - and _ only."""
    plain = re.sub(r"[^\w.-]+", "-", text).strip("-.")
    return plain.encode()[:max_bytes].decode(errors="ignore")


def _waveform(path: Path | None, report: ImportReport) -> np.ndarray | None:
    """Raises ValueError for a sound that an auditor cannot use."""
    if path is None:
        return None
    waveform, doubt = examine_sound(path)
    if doubt:
        report.warn(DOUBTFUL, f"{path}: {doubt}")
    return waveform
