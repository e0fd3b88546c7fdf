"""The list as Label Studio's tasks: a brush mask, type and action as predictions, with the score that it sorts by."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from scripts.flagged.listed import Listed
from utils.audit import ACTIONS
from utils.brush_codes import encode_brush
from utils.formatting import one_line
from utils.mask_types import PAPER_TYPES, TYPE_COLOURS
from utils.reports.overlay import TINT
from utils.whole_files import write_text

FILE, PAGE = "label_studio.json", "label_studio.xml"
MODEL = "MQ-Auditor"
OBJECT = "object"


def write_label_studio(listed: Sequence[Listed], folder: Path, image_prefix: str) -> None:
    """label_studio.json with a task for each mask, and label_studio.xml, the labelling page of the project."""
    write_text(folder / FILE, json.dumps([_task(one, image_prefix) for one in listed], allow_nan=False) + "\n")
    write_text(folder / PAGE, _page())


def _task(one: Listed, image_prefix: str) -> dict:
    facts = one.facts()
    shown = {
        name: one_line(value) if isinstance(value, str) else value for name, value in (one.carried() | facts).items()
    }
    title = f"{shown['expression']} ({shown['why']})"
    results = [_brush(one)] if one.box() else []
    results += [_choice(name, facts[name]) for name, known in _CHOICES.items() if facts[name] in known]
    prediction = {"model_version": MODEL, "score": facts["expected_iou"], "result": results}
    return {"data": shown | {"image": image_prefix + one.image.name, "title": title}, "predictions": [prediction]}


_CHOICES = {"mask_type": PAPER_TYPES, "action": ACTIONS}


def _brush(one: Listed) -> dict:
    height, width = one.image.size
    return {
        "id": "mask",
        "type": "brushlabels",
        "from_name": "brush",
        "to_name": "image",
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
        "value": {"format": "rle", "rle": encode_brush(one.mask()), "brushlabels": [OBJECT]},
    }


def _choice(name: str, value: str) -> dict:
    return {"id": name, "type": "choices", "from_name": name, "to_name": "image", "value": {"choices": [value]}}


def _page() -> str:
    """The page's labels are ours: nothing from data stands in it."""
    types = "\n".join(f'    <Choice value="{name}" background="{TYPE_COLOURS[name]}"/>' for name in PAPER_TYPES)
    actions = "\n".join(f'    <Choice value="{name}"/>' for name in ACTIONS)
    return f"""<View>
  <Header value="$title"/>
  <Image name="image" value="$image" zoom="true" zoomControl="true"/>
  <BrushLabels name="brush" toName="image">
    <Label value="{OBJECT}" background="#{"".join(f"{part:02x}" for part in TINT)}"/>
  </BrushLabels>
  <Choices name="mask_type" toName="image" choice="single-radio" showInline="true">
{types}
  </Choices>
  <Choices name="action" toName="image" choice="single-radio" showInline="true">
{actions}
  </Choices>
  <Text name="answer" value="$answer"/>
</View>
"""
