"""The masks of a work list with their files: images/frame_00001.jpg, masks/mask_00001.png."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from dataset.media.images import (
    encode_mask,
    examine_frame,
    read_mask,
    read_upright_frame,
    resize_mask,
    write_picture,
)
from scripts.flagged.choosing import Flagged
from utils.audit import parse_objects
from utils.formatting import without_tags
from utils.run_length import decode_rle, encode_rle
from utils.whole_files import write_bytes

IMAGES, MASKS = "images", "masks"
MORE_FACTS = ("title", "box", "size", "frame_path")  # of single formats


@dataclass(frozen=True)
class Image:
    """A frame of the list. number: from 1; name: its file in images/; size: (height, width), upright."""

    number: int
    name: str
    size: tuple[int, int]


@dataclass(frozen=True)
class Listed:
    """A mask of the list. number: its place, from 1; code: the mask in the frame's size as `encode_rle` writes it."""

    number: int
    flagged: Flagged
    image: Image
    code: dict

    @property
    def mask_name(self) -> str:
        """Its file in the work list."""
        return f"{MASKS}/mask_{self.number:05d}.png"

    def mask(self) -> np.ndarray:
        """(H, W) bool in the frame's size."""
        return decode_rle(self.code)

    def box(self) -> tuple[int, int, int, int] | None:
        """(left, top, width, height) in pixels; None for an empty mask."""
        rows, columns = (np.flatnonzero(self.mask().any(axis)) for axis in (1, 0))
        if not len(rows):
            return None
        left, top = int(columns[0]), int(rows[0])
        return left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top

    def carried(self) -> dict[str, object]:
        """What its job carried through; a key of our own gets job_ in front."""
        own = {*self.facts(), *MORE_FACTS}
        given = self.flagged.audit.own.carried if self.flagged.audit.own else {}
        return {f"job_{key}" if key in own else key: value for key, value in given.items()}

    def facts(self) -> dict[str, str | int | float | None]:
        """What every format says of the mask, in words and numbers."""
        audit = self.flagged.audit
        prediction, sample = audit.prediction, audit.sample
        named = parse_objects(prediction.raw_output)
        return {
            "place": self.number,
            "image": f"{IMAGES}/{self.image.name}",
            "mask": self.mask_name,
            "expression": sample.expression,
            "frame": audit.frame,
            "at": audit.own.at if audit.own else None,
            "why": "; ".join(self.flagged.reasons),
            "mark": self.flagged.mark,
            "mask_type": prediction.said.mask_type,
            "iou": prediction.said.iou,
            "expected_iou": _rounded(self.flagged.quality),
            "certainty": _rounded(self.flagged.certainty),
            "action": prediction.said.action,
            "object": named.target,
            "wrong_object": named.negative,
            "answer": without_tags(prediction.raw_output or ""),
            "run": audit.run,
            "clip": sample.vid,
            "uid": prediction.uid,
            "audited_mask": prediction.mask_path,
        }


def write_pictures(found: Sequence[Flagged], folder: Path) -> list[Listed]:
    """Each frame once, and every mask in its frame's size. Raises FileNotFoundError, ValueError naming the file."""
    images: dict[Path, Image] = {}
    listed = []
    for number, one in enumerate(tqdm(found, "pictures", unit="mask"), 1):
        path = one.audit.sample.frame_path
        if path not in images:
            images[path] = _write_frame(path, len(images) + 1, folder / IMAGES)
        image = images[path]
        mask = resize_mask(read_mask(one.audit.candidate.mask_path), image.size)
        listed.append(Listed(number, one, image, encode_rle(mask)))
        write_bytes(folder / listed[-1].mask_name, encode_mask(mask))
    return listed


def _write_frame(path: Path, number: int, folder: Path) -> Image:
    """A JPEG that every reader sees in the same way is copied; of others the upright pixels are written."""
    facts = examine_frame(path)
    name = f"frame_{number:05d}.{'jpg' if facts.is_plain_jpeg else 'png'}"
    if facts.is_plain_jpeg:
        write_bytes(folder / name, path.read_bytes())
    else:
        write_picture(folder / name, read_upright_frame(path))
    return Image(number, name, facts.upright_size)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
