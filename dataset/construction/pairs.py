"""Reads a plain folder of pictures and masks for `stills`.

images/NAME.jpg (or .png, ...)     the picture
masks/NAME.png                     its object: what is not black, or not transparent (`dataset.media.mask_values`)
masks/NAME/OBJECT.png              or several objects: dog.png, cat_1.png, cat_2.png ("cat" twice)
expressions.csv (optional)         columns mask,expression[,object]; mask is the path inside masks/, in one or more rows
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dataset.construction.source import frame_size
from dataset.construction.stills import (
    DOUBTFUL,
    ImportReport,
    Still,
    StillObject,
    clean_expression,
    find_audio,
)
from dataset.media.images import examine_mask
from dataset.media.pictures import PICTURE_SUFFIXES
from dataset.media.usable import fit_doubt
from utils.tables import Columns, read_table

EXPRESSIONS = "expressions.csv"
COLUMNS = Columns(("mask", "expression"), optional=("object",), needs_header=True)


@dataclass
class PairsFolder:
    """The pictures that have masks. `masks`: picture -> its mask files; `texts`: mask -> (object, expressions)."""

    root: Path
    object_name: str
    report: ImportReport
    masks: dict[Path, list[Path]] = field(default_factory=dict)
    texts: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.masks)

    def files(self) -> Iterator[Path]:
        """The pictures and masks, and the table of expressions."""
        yield from (self.root / EXPRESSIONS, *self.masks, *(path for paths in self.masks.values() for path in paths))

    def stills(self, split: str, audio_dir: Path | None) -> Iterator[Still]:
        """The pictures, read one after the other. Raises ValueError naming a file that cannot be used."""
        for picture, masks in self.masks.items():
            size = frame_size(picture)
            objects = [self._object(path, size) for path in masks]
            yield Still(picture.stem, split, picture, objects, find_audio(audio_dir, picture.stem))

    def _object(self, path: Path, size: tuple[int, int]) -> StillObject:
        mask, doubt = examine_mask(path)
        if doubt:
            self.report.warn(DOUBTFUL, f"{path}: {doubt}")
        if misfit := fit_doubt(mask.shape, size):
            raise ValueError(f"{path}: {misfit}")
        name, expressions = self.texts.get(mask_key(self.root, path), ("", ()))
        if not name:
            is_alone = path.parent == self.root / "masks"
            name = self.object_name if is_alone else re.sub(r"_\d+$", "", path.stem)
        return StillObject(name, mask, str(path), expressions)


def mask_key(root: Path, path: Path) -> str:
    """A mask's path inside masks/, as it is written in expressions.csv."""
    return spelled(path.relative_to(root / "masks").as_posix())


def spelled(name: str) -> str:
    """The name in Unicode's composed spelling: systems differ in how they write an accent in a file's name."""
    return unicodedata.normalize("NFC", name)


def read_pairs(root: Path, object_name: str, report: ImportReport) -> PairsFolder:
    """Find pictures and masks. Pictures without masks and masks without pictures are left out and go to `report`.

    Raises FileNotFoundError or ValueError when there is no such folder, or expressions.csv cannot be read.
    """
    for folder in (root / "images", root / "masks"):
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder}: no such folder; expected images/NAME.jpg and masks/NAME.png in {root}")
    pairs = PairsFolder(root, object_name, report)
    found = _masks_by_name(root, report)
    stems: dict[str, Path] = {}
    for picture in _visible(root / "images"):
        name = spelled(picture.stem)
        if picture.suffix.lower() not in PICTURE_SUFFIXES:
            report.leave_out("not a picture", str(picture))
        elif name in stems:
            raise ValueError(f"{picture}: expected one picture of this name, got {stems[name].name} as well")
        elif name not in found:
            report.leave_out("picture without a mask", str(picture))
        else:
            pairs.masks[picture] = found[name]
        stems[name] = picture
    for name in sorted(found.keys() - stems.keys()):
        report.leave_out("mask without a picture", str(root / "masks" / name))
    _read_expressions(pairs, {mask_key(root, path) for paths in found.values() for path in paths})
    return pairs


def _masks_by_name(root: Path, report: ImportReport) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in _visible(root / "masks"):
        name = spelled(path.name if path.is_dir() else path.stem)
        for mask in _visible(path) if path.is_dir() else [path]:
            if mask.suffix.lower() == ".png" and mask.is_file():
                found.setdefault(name, []).append(mask)
            else:
                report.leave_out("mask that is no PNG file", str(mask))
    return found


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _read_expressions(pairs: PairsFolder, known: set[str]) -> None:
    path = pairs.root / EXPRESSIONS
    if not path.is_file():
        return
    for number, row in read_table(path, COLUMNS):
        where = f"{path} line {number}"
        mask, name = spelled(row["mask"].strip()), row["object"].strip()
        if row["object"][:1] == " " != row["expression"][:1]:
            expected = "an object, or the whole expression in quotes"
            raise ValueError(f"{where}: expected {expected}, got a cell behind a comma and a space: {row['object']!r}")
        if mask not in known:
            raise ValueError(f"{where}: expected a file inside {pairs.root / 'masks'}, got '{mask}'")
        earlier_name, earlier = pairs.texts.get(mask, ("", ()))
        if name and earlier_name not in ("", name):
            raise ValueError(f"{where}: expected one object for {mask}, got '{name}' and '{earlier_name}'")
        pairs.texts[mask] = name or earlier_name, (*earlier, clean_expression(row["expression"], where))
    if not pairs.texts:
        pairs.report.warn(f"{EXPRESSIONS} without a row", str(path))
