"""The split files of a benchmark: JSON that is none, and JSON that says what cannot be."""

from __future__ import annotations

from functools import partial

from tests.damage import change
from tests.faults.case import Case, accepted, found, nothing, refused, warned
from tests.faults.changes import SPLIT, edit, edit_json, fifo, write
from tests.faults.programs import PROGRAMS
from tests.right_benchmark import META, TEST


def entry(case: str, says: str, **values) -> Case:
    """A case that sets keys of the cutout's entry."""
    return Case(case, lambda root: change(TEST, "cutout_1", root / "bench", **values), {"evaluate": refused(says)})


def whole(case: str, content: bytes | str, says: str) -> Case:
    """A case with another file instead of the split's."""
    return Case(case, partial(write, SPLIT, content), {"evaluate": refused(says)})


def other_entry(content: list) -> None:
    content[0]["uid"] = "nobody_x_1"


def twice(content: list) -> None:
    content[0]["part_neg_masks"]["cutout"] *= 2


CONTRADICTIONS = {
    "another key frame": (lambda c: c[0].update(kfid=9), "kfid: expected '3' as in metadata.csv, got '9'"),
    "another video": (lambda c: c[0].update(vid="vA"), "vid: expected 'vB' as in metadata.csv, got 'vA'"),
    "another expression": (lambda c: c[0].update(exp="the cat"), "as in metadata.csv, got 'the cat'"),
    "another picture": (lambda c: c[0].update(image_path="media/vB/frames/9.jpg"), "image_path: expected frame 3, got"),
    "a mask twice": (twice, "expected each mask"),
}
NO_JSON = f"{TEST}.json: expected JSON, got something else"
CASES = [
    Case("everything is right", nothing, dict.fromkeys(PROGRAMS, accepted)),
    Case(
        "split with Windows line ends",
        partial(edit, SPLIT, lambda b: b.replace(b"}, ", b"},\r\n")),
        {"evaluate": accepted},
    ),
    whole("split is empty", b"", f"{TEST}.json: expected JSON, got nothing"),
    whole("split in Latin-1", b'[{"uid": "\xe9"}]', f"{TEST}.json line 1: expected UTF-8 text, got the byte 0xe9"),
    whole("split nested too deeply", b"[" * 200_000, NO_JSON),
    whole("split with a number of 5000 digits", b"[" + b"1" * 5001 + b"]", NO_JSON),
    whole("split is a list of numbers", b"[1, 2]", "entry 0: expected an object with a uid, got '1'"),
    Case("split is a pipe", partial(fifo, SPLIT), {"evaluate": refused(f"{META}/{TEST}.json: no such file")}),
    Case(
        "split of an unknown uid",
        partial(edit_json, SPLIT, other_entry),
        {"evaluate": refused("does not know this uid")},
    ),
    Case(
        "split with one uid twice", partial(edit_json, SPLIT, lambda c: c * 2), {"evaluate": refused("each uid once")}
    ),
    *(
        Case(f"split: {name}", partial(edit_json, SPLIT, function), {"evaluate": warned(says), "verify": found(says)})
        for name, (function, says) in CONTRADICTIONS.items()
    ),
    entry("IoU is NaN", "iou_to_gt: expected a number from 0 to 1, got nan", iou_to_gt=float("nan")),
    entry("IoU is infinite", "iou_to_gt: expected a number from 0 to 1, got inf", iou_to_gt=float("inf")),
    entry("IoU is text", "iou_to_gt: expected a number from 0 to 1, got '0.5'", iou_to_gt="0.5"),
    entry("IoU above 1", "iou_to_gt: expected a number from 0 to 1, got 2.0", iou_to_gt=2.0),
    entry("action is unknown", "action: expected one of accept, ", action="keep"),
    entry("mask path with a NUL", "no such mask file", mask_path="a\0b.png"),
    entry("mask path with half a character", "no such mask file", mask_path="a\ud800b.png"),
    entry("mask path of 10,000 letters", "a" * 1000, mask_path="a" * 10_000),
    entry("mask path is absolute", "/etc/passwd: expected a path inside", mask_path="/etc/passwd"),
    entry("mask path climbs out", "../../etc/passwd: expected a path inside", mask_path="../../etc/passwd"),
    entry("mask path is a list", "expected an object with a mask_path", mask_path=["a.png"]),
]
