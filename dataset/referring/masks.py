"""Masks of any method for the ten frames of each expression, in a folder that mirrors the ground truth.

<root>/<key>/0000{0..9}.png          masks: what is not black is inside
<root>/<key>/soft/0000{0..9}.png     soft masks, if the method has any: grey, 255 is certainly inside
<root>/<key>.npy or <key>.npz        instead of both: logits (10, H, W), above 0 is inside

The key is the uid, with "~2" behind it for the second row of metadata.csv with the same uid. A method that makes one
mask for each uid needs no such folder: then the uid's masks are taken.
"""

from __future__ import annotations

import logging
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from dataset.media.images import encode_mask, examine_mask, resize_mask
from dataset.media.lengths import NUM_FRAMES
from dataset.media.pictures import MAX_PIXELS, PICTURE_SUFFIXES, open_picture
from dataset.referring.expressions import Expression
from utils.whole_files import write_bytes

logger = logging.getLogger(__name__)
SOFT = "soft"
MOST_BYTES = 8 * NUM_FRAMES * MAX_PIXELS


@dataclass(frozen=True)
class SoftMask:
    """`hard` (H, W) bool, and `soft` (H, W) float32 in [0, 1] where the method gives it."""

    hard: np.ndarray
    soft: np.ndarray | None = None

    @classmethod
    def empty(cls, size: tuple[int, int]) -> SoftMask:
        return cls(np.zeros(size, bool))

    @classmethod
    def of_logits(cls, logits: np.ndarray) -> SoftMask:
        """(H, W) logits: above 0 is inside."""
        return cls(logits > 0, sigmoid(logits))

    @property
    def probability(self) -> np.ndarray:
        """(H, W) float32: the soft mask, or 0 and 1."""
        return self.hard.astype(np.float32) if self.soft is None else self.soft

    def resized(self, size: tuple[int, int]) -> SoftMask:
        """To `size` (height, width): a soft mask bilinear and then cut at 0.5, a hard one to the nearest pixel."""
        if self.hard.shape == size:
            return self
        if self.soft is None:
            return SoftMask(resize_mask(self.hard, size))
        soft = cv2.resize(self.soft, size[::-1], interpolation=cv2.INTER_LINEAR)
        return SoftMask(soft > 0.5, soft)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """float32 -> float32 in [0, 1], without overflow."""
    small = np.exp(-np.abs(logits.astype(np.float32)))
    return np.where(logits >= 0, 1 / (1 + small), small / (1 + small)).astype(np.float32)


class MaskFolder:
    """A folder with masks. Raises FileNotFoundError if there is none."""

    def __init__(self, root: str | Path):
        self.root = Path(root)
        if not self.root.is_dir():
            raise FileNotFoundError(f"masks {root}: expected a folder with one folder for each uid, got nothing there")

    def read(self, expression: Expression) -> list[SoftMask | None]:
        """Ten masks; None for a frame that has none. Raises ValueError for a file that is no mask or no logits."""
        names = dict.fromkeys((expression.key, expression.uid))
        for name in names:
            for ending in (".npy", ".npz"):
                if (path := self.root / f"{name}{ending}").is_file():
                    return [SoftMask.of_logits(frame) for frame in read_logits(path)]
            if (folder := self.root / name).is_dir():
                _check_names(folder)
                return [_read_frame_mask(folder, frame) for frame in range(NUM_FRAMES)]
        return [None] * NUM_FRAMES


def mask_file(root: Path, key: str, frame: int) -> Path:
    return root / key / f"{frame:05d}.png"


def write_masks(root: Path, key: str, masks: list[SoftMask | None], with_soft: bool = False) -> None:
    """Write the masks of one expression; a frame whose mask is None gets no file."""
    for frame, mask in enumerate(masks):
        if mask is not None:
            path = mask_file(root, key, frame)
            write_bytes(path, encode_mask(mask.hard))
            if with_soft:
                grey = (mask.probability * 255).round().astype(np.uint8)
                write_bytes(path.parent / SOFT / path.name, cv2.imencode(".png", grey)[1].tobytes())


def read_logits(path: Path) -> np.ndarray:
    """(10, H, W) float32 from a .npy file, or a .npz file with one array. Raises ValueError that names the file."""
    expected = f"{path}: expected one array of logits ({NUM_FRAMES}, height, width)"
    try:
        names, content = _load_arrays(path)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, MemoryError) as error:
        raise ValueError(f"{path}: expected an array of logits, got a file that cannot be read ({error})") from None
    if content is None:
        raise ValueError(f"{expected}, got {len(names)} arrays")
    if content.ndim == 4 and content.shape[1] == 1:
        content = content[:, 0]  # (10, 1, H, W), as networks give them
    if content.ndim != 3 or len(content) != NUM_FRAMES or not content.size or content.dtype.kind not in "fiu":
        raise ValueError(f"{expected}, got {content.shape} {content.dtype}")
    if not np.isfinite(content).all():
        raise ValueError(f"{expected}, got numbers that are not finite")
    lowest, highest = content.min(), content.max()
    if lowest >= 0 and ((content != 0) & (content != highest)).any():
        got = f"numbers from {lowest:.3g} to {highest:.3g}, as probabilities or labels have them"
        raise ValueError(f"{path}: expected logits, which are below 0 outside the object, got {got}")
    return content.astype(np.float32)


def _load_arrays(path: Path) -> tuple[list[str], np.ndarray | None]:
    """The names of a file's arrays, and the only one, if it is one. Raises as np.load."""
    content = np.load(path, allow_pickle=False)
    if isinstance(content, np.ndarray):
        return [""], content
    with content:
        names = content.files
        size = sum(entry.file_size for entry in content.zip.infolist())
        if size > MOST_BYTES:
            raise ValueError(f"expected at most {MOST_BYTES:,} bytes, got {size:,}")
        return names, content[names[0]] if len(names) == 1 else None


def _check_names(folder: Path) -> None:
    """Raises ValueError for pictures of other names: their masks would be taken for missing ones."""
    names = [f"{frame:05d}.png" for frame in range(NUM_FRAMES)]
    found = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES)
    if others := [name for name in found if name not in names and not name.startswith(".")]:
        raise ValueError(f"{folder}: expected masks {names[0]} to {names[-1]}, got {', '.join(others[:5])}")


@cache  # a mask may be read several times
def _tell_doubt(path: Path, doubt: str) -> None:
    logger.warning("%s: %s", path, doubt)


def _read_frame_mask(folder: Path, frame: int) -> SoftMask | None:
    path = folder / f"{frame:05d}.png"
    if not path.is_file():
        return None
    (hard, doubt), soft_path = examine_mask(path), folder / SOFT / path.name
    if doubt:
        _tell_doubt(path, doubt)
    if not soft_path.is_file():
        return SoftMask(hard)
    picture = open_picture(soft_path, "soft mask")
    if picture.size != hard.shape or picture.image.mode != "L":
        got = f"size {picture.size} and {picture.image.mode}"
        raise ValueError(f"{soft_path}: expected a grey picture of the mask's size {hard.shape}, got {got}")
    return SoftMask(hard, np.asarray(picture.image, np.float32) / 255)
