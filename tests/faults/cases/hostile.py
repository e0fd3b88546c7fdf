"""Control codes of a terminal in names and texts. No program may print them.

The sentence table looks for them in what every case prints.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from tests.damage import change
from tests.faults.case import Case, accepted, found, nothing, refused
from tests.faults.changes import SPLIT, TABLE, edit, edit_json, write
from tests.right_benchmark import TEST

CODES = "\x1b[2J\x1b]0;owned\x07\r\u202e\x9b31m"  # clear the screen, set the title, go back, turn the text, colour
IN_CSV = CODES.replace("\r", "").encode()


def entry(case: str, evaluate: str, verify: str, **values) -> Case:
    """A case that sets keys of the cutout's entry."""
    told = {"evaluate": refused(evaluate), "verify": found(verify)}
    return Case(case, lambda root: change(TEST, "cutout_1", root / "bench", **values), told)


def unknown_uid(content: list) -> None:
    content[0]["uid"] = f"x{CODES}_1"


def unknown_type(content: list) -> None:
    content[0]["part_neg_masks"][f"blob{CODES}"] = content[0]["part_neg_masks"].pop("cutout")


def other_image(content: list) -> None:
    content[0]["image_path"] = f"media/{CODES}.jpg"


def rename_uid(root: Path) -> None:
    """The uid everywhere it is written: the tables of describe show it."""
    uid = b"vB_dog_1"
    edit(TABLE, lambda b: b.replace(uid, b"vB_dog" + IN_CSV + b"_1"), root)


def in_json(case: str, function, evaluate: str, verify: str) -> Case:
    return Case(case, partial(edit_json, SPLIT, function), {"evaluate": refused(evaluate), "verify": found(verify)})


NAME = f"records{CODES}.jsonl"
CASES = [
    entry("control codes in a mask path", "no such mask file", "no such mask file", mask_path=f"masks/{CODES}.png"),
    entry("control codes in an action", "expected one of accept", "expected one of accept", action=CODES),
    in_json("control codes in a uid", unknown_uid, "does not know this uid", "does not know this uid"),
    in_json("control codes in a mask type", unknown_type, "mask type: expected one of", "mask type: expected one of"),
    in_json("control codes in a frame's path", other_image, "no such frame file", "no such frame file"),
    Case("control codes in a uid of the table", rename_uid, {"evaluate": refused("uid"), "describe": accepted}),
    Case(
        "control codes in a line of answers",
        partial(write, "records.jsonl", f'{{"a": "{CODES}'),
        {"score": refused("line 1")},
    ),
    Case(
        "control codes in the name of answers",
        nothing,
        {"score": refused("no such file")},
        ("--against", "{root}/" + NAME),
    ),
    Case("control codes in a path of a flag", nothing, {"audit": refused("no such mask file")}, ("--mask", CODES)),
    Case("control codes in a value of a flag", nothing, {"audit": refused("--frame")}, ("--frame", CODES)),
    Case("control codes in an expression", nothing, {"audit": accepted}, ("--expression", f"the dog {CODES}")),
]
