"""Files of records that others wrote: repeated masks, bytes that are no text, and that a file stays as it is."""

import json
from pathlib import Path

import pytest

from configs.scoring import ScoreArguments
from scripts.evaluate.score import main as score
from utils.records import read_predictions
from utils.scores.scoring import score_answers
from utils.whole_files import write_jsonl

GOLDEN = Path(__file__).parent / "golden"
SAID = "<iou> 0.5 </iou> <mask_type> merge </mask_type> <action> Reject </action>"


def twice(uid="u", **changes) -> dict:
    row = {"uid": uid, "frame_idx": 3, "mask_path": "m.png", "mask_type": "merge", "iou_to_gt": 0.5, "rank": 1}
    return row | {"action": "reject", "raw_output": SAID} | changes


def test_bytes_that_are_no_text_are_named(tmp_path):
    path = tmp_path / "latin.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"uid": "a"}\n' + '{"uid": "\u00e9"}'.encode("latin-1"))
    with pytest.raises(ValueError, match=r"latin.jsonl, line 2: expected UTF-8 text, got other bytes"):
        read_predictions(path)


def test_copies_of_a_record_count_once(tmp_path, caplog):
    """A batch that was padded with its first masks."""
    rows = [twice(), twice("v"), twice(frame_idx=4), twice("v"), twice(generated_ids=[1]), twice("v")]
    write_jsonl(tmp_path / "p.jsonl", rows)
    before = (tmp_path / "p.jsonl").read_bytes()
    output = tmp_path / "out.jsonl"
    arguments = ["--output", str(tmp_path / "m.json"), "--predictions_output", str(output)]
    assert score([str(tmp_path / "p.jsonl"), *arguments]) == 0
    assert json.loads((tmp_path / "m.json").read_text())["samples"] == 3 == len(output.read_text().splitlines())
    assert "3 records are copies of others and left out: uid v, frame 3, m.png; uid u, frame 3, m.png\n" in caplog.text
    assert (tmp_path / "p.jsonl").read_bytes() == before


def test_two_answers_to_one_mask_are_refused(tmp_path):
    write_jsonl(tmp_path / "p.jsonl", [twice(), twice("v"), twice(raw_output="cut off")])
    with pytest.raises(ValueError, match=r"got 1 more that say something else, for example records 1 and 3 \(uid u, m"):
        read_predictions(tmp_path / "p.jsonl")


SPELLINGS = {
    "mask_path": ("é/m.png", "./é/m.png", "é//b/../m.png", "é\\m.png", "e\u0301/m.png "),
    "uid": (17, "17", " 017"),
    "frame_idx": (3, "3", "00003"),
    "mask_type": ("cutout", "Cutout ", "cutoff"),
    "rank": (1, 1.0),
    "action": ("reject", "Reject"),
    "raw_output": (SAID, SAID + "\n"),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_one_mask_has_many_spellings(tmp_path, name):
    write_jsonl(tmp_path / "p.jsonl", [twice(**{name: value}) for value in SPELLINGS[name]])
    assert len(read_predictions(tmp_path / "p.jsonl")) == 1


@pytest.mark.parametrize("path", ["/data/bench/m.png", "bench/m.png", "M.png"])
def test_the_same_name_in_another_folder_is_told(tmp_path, caplog, path):
    write_jsonl(tmp_path / "p.jsonl", [twice(), twice(mask_path=path), twice(mask_path="x/m.png", rank=2)])
    assert len(read_predictions(tmp_path / "p.jsonl")) == 3
    assert "1 records may be about the same masks as earlier ones" in caplog.text


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('{"uid": "u", "iou_to_gt": 0.5, "iou_to_gt": 0.9}', "the key 'iou_to_gt' is given twice"),
        ('{"uid": "u", "iou_to_gt": 0.5, "gt_iou": 0.9}', "expected iou_to_gt and gt_iou to be the same"),
        ('{"uid": "u", "rank": 1.5}', "expected rank to be a whole number or null, got 1.5"),
    ],
)
def test_records_that_contradict_themselves(tmp_path, line, sentence):
    (tmp_path / "p.jsonl").write_text(line)
    with pytest.raises(ValueError, match=f"p.jsonl, line 1: .*{sentence}"):
        read_predictions(tmp_path / "p.jsonl")


def test_strange_truths_are_told(tmp_path, caplog):
    write_jsonl(tmp_path / "p.jsonl", [twice("a", mask_type="perfect"), twice("b", iou_to_gt=None)])
    score_answers(read_predictions(tmp_path / "p.jsonl"), "image")
    assert "contradicts itself: 1 records, for example a perfect mask (uid a) of IoU 0.5" in caplog.text
    assert "1 of 2 records have no iou_to_gt" in caplog.text


@pytest.mark.parametrize(
    ("changes", "named"),
    [({"mask_path": None}, "no mask_path"), ({"mask_type": "perfect"}, "m.png"), ({"rank": 2}, "m")],
)
def test_records_that_may_be_about_one_mask_count_and_are_told(tmp_path, caplog, changes, named):
    write_jsonl(
        tmp_path / "p.jsonl", [twice("v"), twice() | {"mask_path": changes.get("mask_path", "m.png")}, twice(**changes)]
    )
    assert len(read_predictions(tmp_path / "p.jsonl")) == 3
    assert "p.jsonl: 1 records may be about the same masks as earlier ones, and count: for" in caplog.text
    assert f"records 2 and 3 (uid u, frame 3, {named}" in caplog.text


def test_records_that_say_nothing_of_a_place_all_count(tmp_path, caplog):
    write_jsonl(tmp_path / "p.jsonl", [twice(mask_path=None, frame_idx=None)] * 3)
    assert len(read_predictions(tmp_path / "p.jsonl")) == 3 and not caplog.text


def test_predictions_without_texts_are_scored_the_same(tmp_path):
    folder = GOLDEN / "07_metrics" / "video_merge"
    full, light = (read_predictions(folder / "records.jsonl", texts=texts) for texts in (True, False))
    assert [p.said for p in full] == [p.said for p in light] and not any(p.raw_output for p in light)
    assert score_answers(full, "video")[0] == score_answers(light, "video")[0]


@pytest.mark.parametrize("name", ["output", "predictions_output", "video_avg_output"])
def test_the_records_are_never_overwritten(tmp_path, name):
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "p.jsonl")
    write_jsonl(tmp_path / "p.jsonl", [twice()])
    paths = {"output": "m.json", name: "link.jsonl"}
    with pytest.raises(ValueError, match=f"--{name} .*link.jsonl would overwrite the records"):
        ScoreArguments(
            records=str(tmp_path / "p.jsonl"), eval_mode="video", **{k: str(tmp_path / v) for k, v in paths.items()}
        )
