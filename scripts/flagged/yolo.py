"""The list as a YOLO-seg data set: labels/frame_00001.txt beside images/, and data.yaml."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from dataset.own.polygons import outline_line
from scripts.flagged.coco import CLASSES, class_of
from scripts.flagged.listed import IMAGES, Listed
from utils.whole_files import write_text

LABELS, FILE = "labels", "data.yaml"


def write_yolo(listed: Sequence[Listed], folder: Path) -> None:
    """A line for each mask, those of one frame in one file; an empty mask has no outline and so no line."""
    lines: dict[str, list[str]] = {one.image.name: [] for one in listed}
    for one in listed:
        if one.box() is not None:
            lines[one.image.name].append(outline_line(class_of(one), one.mask()))
    for name, own in lines.items():
        write_text(folder / LABELS / f"{Path(name).stem}.txt", "".join(f"{line}\n" for line in own))
    content = {"path": ".", "train": IMAGES, "val": IMAGES, "names": dict(enumerate(CLASSES))}
    write_text(folder / FILE, yaml.safe_dump(content, sort_keys=False))
