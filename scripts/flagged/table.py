"""worklist.csv for people, and prompts.jsonl for a segmenter."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

from scripts.flagged.listed import Listed
from utils.formatting import plain_cell
from utils.whole_files import write_jsonl, write_text

TABLE, PROMPTS = "worklist.csv", "prompts.jsonl"
COLUMNS = ("place", "image", "mask", "expression", "frame", "at", "why", "mark", "mask_type", "iou", "expected_iou")
COLUMNS += ("certainty", "action", "object", "wrong_object", "answer", "run", "clip", "uid", "audited_mask")


def write_table(listed: Sequence[Listed], folder: Path) -> None:
    """One row for each mask, with what its job carried; text from data is no formula to a spreadsheet program."""
    rows = [one.facts() | one.carried() for one in listed]
    text = io.StringIO()
    writer = csv.DictWriter(
        text, dict.fromkeys([*COLUMNS, *(name for row in rows for name in row)]), lineterminator="\n"
    )
    writer.writerow({name: plain_cell(name) for name in writer.fieldnames})
    for row in rows:
        writer.writerow({name: _cell(value) for name, value in row.items()})
    write_text(folder / TABLE, text.getvalue())


def _cell(value: object) -> object:
    if isinstance(value, str):
        return plain_cell(value)
    return json.dumps(value) if isinstance(value, list | dict) else value


def write_prompts(listed: Sequence[Listed], folder: Path) -> None:
    """What a segmenter needs to make each mask anew; `box`: left, top, right, bottom of the mask in pixels, or null."""
    write_jsonl(folder / PROMPTS, map(_prompt, listed))


def _prompt(one: Listed) -> dict:
    facts, box = one.facts(), one.box()
    names = ("place", "image", "frame", "at", "expression", "object", "wrong_object", "mask", "mask_type")
    names += ("expected_iou",)
    corners = box and [box[0], box[1], box[0] + box[2], box[1] + box[3]]
    height, width = one.image.size
    frame_path = str(one.flagged.audit.sample.frame_path)
    return (
        one.carried()
        | {name: facts[name] for name in names}
        | {"box": corners, "size": [width, height], "frame_path": frame_path}
    )
