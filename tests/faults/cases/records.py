"""Files of answers that others wrote: one mask in two spellings, truths that cannot be, lines that are no records."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.faults.case import Case, accepted, refused, warned
from tests.faults.changes import edit, write

FILE = "records.jsonl"


def change_records(function: Callable[[list[dict]], list[dict] | None], root: Path) -> None:
    records = [json.loads(line) for line in (root / FILE).read_text().splitlines()]
    records = function(records) or records
    (root / FILE).write_text("".join(json.dumps(record) + "\n" for record in records))


def again(name: str, says: str, **values) -> Case:
    """A case with the first record once more, with other values."""
    change = partial(change_records, lambda records: [*records, records[0] | values])
    return Case(f"records: {name}", change, {"score": warned(says)})


def value(name: str, says: str, key: str, wrong: object) -> Case:
    """A case in which every record has this value."""
    change = partial(change_records, lambda records: [record | {key: wrong} for record in records])
    return Case(f"records: {name}", change, {"score": refused(says)})


def text(name: str, says: str, function: Callable[[bytes], bytes]) -> Case:
    return Case(f"records: {name}", partial(edit, FILE, function), {"score": refused(says)})


def strange(name: str, says: str, **values) -> Case:
    """A case that sets keys of the first record, of the ground truth."""
    return Case(f"records: {name}", partial(change_records, lambda r: r[0].update(values)), {"score": warned(says)})


COPIES, MAYBE = "1 records are copies of others and left out", "1 records may be about the same masks"
MASK = "masks/test_s/vB_dog_1/gt.png"
CASES = [
    again("one twice", COPIES),
    again("one twice, with ./", COPIES, mask_path=f"./{MASK}"),
    again("one twice, with backslashes", COPIES, mask_path=MASK.replace("/", "\\")),
    again("one twice, frame as text", COPIES, frame_idx="01"),
    again("one twice, type in capitals", COPIES, mask_type="Perfect"),
    again("one twice, type called gt", COPIES, mask_type="gt"),
    again("one twice, absolute path", MAYBE, mask_path=f"/data/{MASK}"),
    again("one twice, other token ids", COPIES, generated_ids=[7]),
    again("one twice, other truth", MAYBE, mask_type="merge", iou_to_gt=0.5, action="reject", rank=1),
    Case(
        "records: one twice, two answers",
        partial(change_records, lambda records: [*records, records[0] | {"raw_output": "<iou> 0.1 </iou>"}]),
        {"score": refused("expected one record of each mask, got 1 more that say something else")},
    ),
    value("IoU as text", 'expected iou_to_gt to be a number in [0, 1] or null, got "0.5"', "iou_to_gt", "0.5"),
    value("IoU NaN", "expected iou_to_gt to be a number in [0, 1] or null, got NaN", "iou_to_gt", float("nan")),
    value("IoU in percent", "expected iou_to_gt to be a number in [0, 1] or null, got 87.5", "iou_to_gt", 87.5),
    value("IoU true", "expected iou_to_gt to be a number in [0, 1] or null, got true", "iou_to_gt", True),
    value("rank 1.5", "expected rank to be a whole number or null, got 1.5", "rank", 1.5),
    value("type as a number", "expected mask_type to be a string or null, got 3", "mask_type", 3),
    value("answer as a list", 'expected raw_output to be a string or null, got ["a"]', "raw_output", ["a"]),
    strange("perfect mask of IoU 0.5", "contradicts itself: 1 records, for example a perfect mask", iou_to_gt=0.5),
    strange("no IoU", "records have no iou_to_gt: the RMSE leaves them out", iou_to_gt=None),
    strange("unknown type", "mask types that are no class and can never be hit: 'blob'", mask_type="blob"),
    strange("unknown action", "actions that are no class and can never be hit: 'keep'", action="keep"),
    text("a list", "line 1: expected one JSON object, got [", lambda b: b"[" + b.replace(b"\n", b",", 1)),
    text("a key twice", "the key 'uid' is given twice", lambda b: b.replace(b'{"uid"', b'{"uid": "a", "uid"', 1)),
    text(
        "two names for the IoU",
        "expected iou_to_gt and gt_iou to be",
        lambda b: b.replace(b"{", b'{"gt_iou": 0.3, ', 1),
    ),
    text("UTF-16", "line 1: expected UTF-8 text", lambda b: b.decode().encode("utf-16")),
    text("old Mac's line ends", "line 1: expected one JSON object", lambda b: b.replace(b"\n", b"\r")),
    text("cut off", "expected one JSON object", lambda b: b[:-40]),
    text("a zero byte", "expected one JSON object", lambda b: b.replace(b"\n", b"\0\n", 1)),
    text("a table", "line 1: expected one JSON object, got uid,iou", lambda b: b"uid,iou\nu,0.5\n"),
    Case("records: empty", partial(write, FILE, b""), {"score": warned("no records to score")}),
    Case(
        "records: line ends of Windows", partial(edit, FILE, lambda b: b.replace(b"\n", b"\r\n")), {"score": accepted}
    ),
]
