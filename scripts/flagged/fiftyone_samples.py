"""The list as a folder that FiftyOne imports (`fiftyone.types.FiftyOneDataset`), written without it.

A sample is a frame, and its field `audits` holds a detection for each mask: the label is the mask type, the confidence
its probability, and the expected IoU and the rest are attributes.
"""

from __future__ import annotations

import base64
import io
import json
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from scripts.flagged.coco import CLASSES, class_of
from scripts.flagged.listed import IMAGES, Listed
from utils.whole_files import write_json, write_text

FOLDER = "fiftyone"


def write_fiftyone(listed: Sequence[Listed], folder: Path) -> None:
    """fiftyone/samples.json and metadata.json, whose frames are those in images/ beside the folder."""
    own: dict[str, list[Listed]] = {}
    for one in listed:
        own.setdefault(one.image.name, []).append(one)
    samples = [_sample(name, masks) for name, masks in own.items()]
    write_text(folder / FOLDER / "samples.json", json.dumps({"samples": samples}, allow_nan=False) + "\n")
    write_json(folder / FOLDER / "metadata.json", {"media_type": "image", "info": {"classes": list(CLASSES)}})


def _sample(name: str, masks: Sequence[Listed]) -> dict:
    detections = {"_cls": "Detections", "detections": [_detection(one) for one in masks]}
    return {"filepath": f"../{IMAGES}/{name}", "tags": [], "audits": detections}


def _detection(one: Listed) -> dict:
    facts = {name: value for name, value in one.facts().items() if value is not None and name not in ("image", "mask")}
    label = CLASSES[class_of(one)]
    found = {"_cls": "Detection", "attributes": {}, "tags": [], "label": label, "bounding_box": [0, 0, 0, 0]}
    if one.flagged.confidence is not None:
        found["confidence"] = round(one.flagged.confidence, 4)
    if (box := one.box()) is not None:
        (left, top, width, height), size = box, one.image.size
        found["bounding_box"] = [left / size[1], top / size[0], width / size[1], height / size[0]]
        found["mask"] = _packed(one.mask()[top : top + height, left : left + width])
    return found | facts


def _packed(mask: np.ndarray) -> dict:
    """(h, w) bool as FiftyOne stores arrays: a .npy file, compressed, in base 64."""
    file = io.BytesIO()
    np.save(file, mask)
    return {"$binary": {"base64": base64.b64encode(zlib.compress(file.getvalue())).decode(), "subType": "00"}}
