"""Where an entry of a split file contradicts its row of metadata.csv, or itself: runs warn of it, `verify` lists it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from dataset.benchmark.metadata import CsvRow, int_or_none
from dataset.benchmark.samples import AuditSample
from dataset.benchmark.uids import vid_of
from utils.splits import TRAIN


def row_doubts(row: CsvRow, entry: dict, protocol: str) -> Iterator[str]:
    """A uid must have the same values in metadata.csv and in the split file."""
    from_uid = vid_of(row.uid)
    if protocol == TRAIN and row.vid not in ("", from_uid):
        yield f"vid: expected {from_uid} in metadata.csv, as training takes it from the uid, got '{row.vid}'"
    for key in ("vid", "kfid", "exp"):
        in_csv, in_json = getattr(row, key), entry.get(key)
        if in_json is not None and in_csv != "" and str(in_json).split() != str(in_csv).split():
            yield f"{key}: expected '{in_csv}' as in metadata.csv, got '{in_json}'"


def frame_doubts(row: CsvRow, frame: dict, protocol: str) -> Iterator[str]:
    """The picture of a frame must be the one whose number is given."""
    number = int_or_none(frame.get("frame") if protocol == "video" else row.kfid)
    image = frame.get("image_path")
    shown = int_or_none(Path(image).stem) if isinstance(image, str) else None
    if protocol != TRAIN and None not in (number, shown) and number != shown:
        yield f"image_path: expected frame {number}, got {image}"


def repeated_masks(sample: AuditSample) -> Iterator[str]:
    """Masks that are listed twice, with the same truth: they would count twice."""
    counts = Counter((c.mask_path, c.audit.mask_type, c.rank) for c in sample.candidates)
    yield from (
        f"expected each mask once in a frame, got {path.name} twice" for (path, *_), n in counts.items() if n > 1
    )


def frames_of(entry: dict) -> list[dict]:
    """The frames of an entry. An entry of image mode or training is one frame itself."""
    frames = entry.get("frames")
    if not isinstance(frames, list):
        return [entry]
    return [frame for frame in frames if isinstance(frame, dict)]
