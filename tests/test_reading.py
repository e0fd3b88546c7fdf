"""Replies of other auditors, read at four levels; nothing is invented."""

import io
import json
from collections import Counter
from pathlib import Path

import pytest

from scripts.evaluate.read_reply import main
from utils.audit import Audit, parse_audit
from utils.reading.reply import FIELDS, read_reply
from utils.records import to_predictions

ROOT = Path(__file__).parent.parent
REPLIES = Path(__file__).parent / "replies"
FIGURES, TRAPS = (json.loads((REPLIES / name).read_text()) for name in ("figures.json", "traps.json"))
PROMPT = (ROOT / "dataset/text/others_prompt.txt").read_text().strip()
SAID = "<audit> Fine. The IoU with GT is 0,85, its mask type belongs to <mask> erode </mask>. Minor Revision.</audit>"


def said(audit: Audit) -> dict:
    return {name: getattr(audit, name) for name in FIELDS}


@pytest.mark.parametrize("row", FIGURES, ids=lambda row: f"{row['figure']}-{row['model']}")
def test_replies_that_the_paper_prints(row):
    assert said(read_reply(row["reply"]).audit) == {name: row[name] for name in FIELDS}


def test_levels_of_the_replies_that_the_paper_prints():
    others = [read_reply(row["reply"]).levels for row in FIGURES if row["model"] != "MQ-Auditor"]
    counts = {name: Counter(levels[name] for levels in others) for name in FIELDS}
    assert counts["iou"] == {"tag": 1, "phrase": 20, None: 3}
    assert counts["mask_type"] == {"alias": 4, "phrase": 12, "prose": 8}
    assert counts["action"] == {"tag": 6, "phrase": 18}
    strict = [parse_audit(row["reply"]) for row in FIGURES if row["model"] != "MQ-Auditor"]
    assert {audit.mask_type for audit in strict} == {None}


@pytest.mark.parametrize("row", TRAPS, ids=lambda row: row["reply"][-60:])
def test_traps(row):
    reply = row["reply"].replace("{PROMPT}", PROMPT)
    assert said(read_reply(reply).audit) == {name: row[name] for name in FIELDS}


def test_a_level_leaves_out_the_later_ones():
    reading = read_reply("<audit> IoU 0.85, <mask> erode </mask>, <action> Accept </action> </audit>")
    assert reading.levels == {"iou": "phrase", "mask_type": "alias", "action": "tag"}
    assert reading.up_to("alias") == Audit("erode", None, "accept")
    assert reading.up_to("prose") == reading.audit == Audit("erode", 0.85, "accept")


@pytest.mark.parametrize(
    "part",
    ["<think>", "<audit>", "iou ", "mask type is ", "0.5 ", "not a ", "perfectly matches ", "minor revision "],
)
def test_repetitions_take_no_time(part):
    """A model that repeats itself for ever must not stop the reader: this would take minutes in quadratic time."""
    read_reply(part * 5000)


def test_records_are_read_strictly_if_nothing_is_said():
    record = {"uid": "a", "raw_output": SAID}
    assert to_predictions([record])[0].said == parse_audit(SAID) == Audit(None, None, None)
    assert to_predictions([record], "lenient")[0].said == Audit("erode", 0.85, "minor revision")


def test_program(tmp_path, capsys, monkeypatch):
    lines = [json.dumps({"reply": SAID}), "", json.dumps({"reply": None, "id": 7})]
    path = tmp_path / "replies.jsonl"
    path.write_text("\n".join(lines) + "\n")
    assert main([str(path), "--level", "lenient"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert rows[0] == {
        "iou": 0.85, "mask_type": "erode", "action": "minor revision",
        "iou_level": "phrase", "mask_type_level": "alias", "action_level": "prose",
    }  # fmt: skip
    assert set(rows[1].values()) == {None} and len(rows) == 2
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(path.read_bytes())))
    assert main(["--level", "strict"]) == 0
    assert [set(json.loads(line).values()) for line in capsys.readouterr().out.splitlines()] == [{None}, {None}]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"[1]", "line 1: expected an object with `reply`"),
        (b'{"reply": 3}', "line 1: expected an object with `reply`"),
        (b'{"reply": ""}\n{"answer": ""}', "line 2: expected an object with `reply`"),
        (b"no", "line 1: expected one JSON object"),
        (b"\xff\xfe", "expected UTF-8"),
    ],
)
def test_program_refuses(content, sentence, tmp_path, capsys):
    path = tmp_path / "replies.jsonl"
    path.write_bytes(content)
    assert main([str(path)]) == 2
    assert sentence in capsys.readouterr().err


def test_program_refuses_a_missing_file(capsys):
    assert main(["none.jsonl"]) == 2 and "none.jsonl: expected a JSON lines file" in capsys.readouterr().err
