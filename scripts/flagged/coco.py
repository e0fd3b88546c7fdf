"""The list as a COCO file: masks as run-length codes, mask types as categories."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from scripts.flagged.listed import Listed
from utils.mask_types import PAPER_TYPES
from utils.whole_files import write_text

FILE = "coco.json"
UNKNOWN = "unknown"  # an audit whose type could not be read
CLASSES = (*PAPER_TYPES, UNKNOWN)


def class_of(one: Listed) -> int:
    """The number of its mask type in CLASSES."""
    name = one.flagged.audit.prediction.said.mask_type
    return CLASSES.index(name if name in PAPER_TYPES else UNKNOWN)


def write_coco(listed: Sequence[Listed], folder: Path) -> None:
    """coco.json; file names are relative to images/."""
    images = {one.image.number: one.image for one in listed}
    content = {
        "images": [
            {"id": image.number, "file_name": image.name, "height": image.size[0], "width": image.size[1]}
            for image in images.values()
        ],
        "annotations": [_annotation(one) for one in listed],
        "categories": [{"id": number, "name": name} for number, name in enumerate(CLASSES, 1)],
    }
    write_text(folder / FILE, json.dumps(content, allow_nan=False) + "\n")


def _annotation(one: Listed) -> dict:
    return {
        "id": one.number,
        "image_id": one.image.number,
        "category_id": class_of(one) + 1,
        "segmentation": one.code,
        "area": int(one.mask().sum()),
        "bbox": list(one.box() or (0, 0, 0, 0)),
        "iscrowd": 0,
        "score": one.facts()["expected_iou"],
        "attributes": one.carried() | {name: value for name, value in one.facts().items() if value is not None},
    }
