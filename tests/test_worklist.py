"""Work lists: which masks are flagged, in which order, and what each format says of them."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from PIL import Image
from pycocotools.coco import COCO

from configs.worklist import DEFAULT_POLICY, read_policy
from dataset.media.images import read_mask
from dataset.own.polygons import outline_line, read_outlines
from scripts.flagged.coco import CLASSES
from scripts.worklist import main
from tests.finished_runs import write_finished_run
from tests.right_benchmark import FOLDERS, HEIGHT, MASKS, META, TEST, WIDTH, write_right_benchmark
from tests.test_report import own_results
from utils.audit import Audit
from utils.brush_codes import decode_brush, encode_brush
from utils.whole_files import write_jsonl

HOSTILE = '=HYPERLINK("x") </script><b>dog</b>'
RNG = np.random.default_rng(0)
SPECKLED = RNG.random((40, 50)) < 0.3


def said_of(name: str, true: Audit) -> tuple[Audit, float]:
    """Right answers but for a contradiction, one that cannot be read, and one that is not sure."""
    if name == "gt":
        return Audit("perfect", 0.4, "reject"), 1.0
    if name == "erode_1":
        return Audit(None, None, None), 1.0
    return true, 0.5 if name == "dilate_1" else 1.0


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("audited")
    root = folder / "MQ-RAVSBench"
    root.mkdir()
    write_right_benchmark(root)
    for path in (root / META).iterdir():
        path.write_text(path.read_text().replace("the dog, on the left", "the dog"))
    split = root / META / "test_s_image_filtered.json"
    entries = json.loads(split.read_text())
    entries[0]["exp"] = HOSTILE
    split.write_text(json.dumps(entries))
    table = root / META / "metadata.csv"
    table.write_text(table.read_text().replace('"the dog"', '"' + HOSTILE.replace('"', '""') + '"'))
    write_finished_run(folder / "results", root, said_of)
    return folder / "results"


@pytest.fixture(scope="module")
def worklist(results, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("written") / "list"
    assert main([str(results), "--output", str(output)]) == 0
    return output


def rows_of(folder: Path) -> list[dict]:
    with (folder / "worklist.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def names_of(folder: Path) -> list[str]:
    return [Path(row["audited_mask"]).stem for row in rows_of(folder)]


def written(tmp_path: Path, results: Path, policy: object, *more: str) -> list[str]:
    """The masks of a list by a policy."""
    (tmp_path / "policy.yaml").write_text(yaml.safe_dump(policy))
    flags = ["--policy", str(tmp_path / "policy.yaml"), "--formats", "prompts", *more]
    assert main([str(results), "--output", str(tmp_path / "list"), *flags]) == 0
    return names_of(tmp_path / "list")


def known(mask_type: str) -> str:
    return "unknown" if mask_type == "?" else mask_type


def test_the_default_policy_flags_what_is_wrong_and_says_why(worklist):
    why = {Path(row["audited_mask"]).stem: row["why"] for row in rows_of(worklist)}
    assert set(why) == set(MASKS) - {"cutout_1", "cutout_2", "dilate_2", "erode_2"}
    assert why["gt"] == "expected IoU under 0.75; action reject; contradiction"
    assert why["erode_1"].startswith("not readable") and why["dilate_1"] == "certainty under 0.6"
    assert why["merge_1"] == "type merge"
    expected = [float(row["expected_iou"]) for row in rows_of(worklist)]
    assert expected == sorted(expected)


@pytest.mark.parametrize(
    ("policy", "names"),
    [
        ({"flag": {"types": ["cutout"]}}, ["cutout_2", "cutout_1"]),
        ({"flag": {"actions": ["minor revision"], "expected_iou_below": 0}, "budget": {"masks": 1}}, ["dilate_1"]),
        ({"flag": {"certainty_below": 0.99}, "first": "least_certain"}, ["dilate_1"]),
        ({"flag": {"expected_iou_below": 0.1}}, ["erode_1", "full_neg_1", "full_neg_2", "full_neg_3"]),
        ({"flag": {"expected_iou_below": 1}, "budget": {"hours": 0.01, "seconds_each": 15}}, None),
        ({}, []),
    ],
)
def test_policies(results, tmp_path, policy, names):
    found = written(tmp_path, results, policy)
    assert len(found) == 2 if names is None else sorted(found) == sorted(names)


def test_marks_come_first_or_leave_out(results, tmp_path, capsys):
    keys = {Path(row["mask_path"]).stem: row for row in map(json.loads, next(results.glob("*/*.jsonl")).open())}
    marks = {"merge_1": "right", "cutout_1": "wrong", "erode_2": "again"}
    rows = [{name: keys[mask][name] for name in ("uid", "frame_idx", "mask_path")} for mask in marks]
    content = {"marks": [row | {"mark": mark} for row, mark in zip(rows, marks.values(), strict=True)]}
    (tmp_path / "marks.json").write_text(json.dumps(content))
    found = written(tmp_path, results, {"flag": {"types": ["merge"]}}, "--marks", str(tmp_path / "marks.json"))
    assert found == ["cutout_1", "erode_2", "merge_3", "merge_2"]
    assert "1  marked as wrong" in capsys.readouterr().out


def test_text_from_data_is_no_formula(worklist):
    row = rows_of(worklist)[0]
    assert row["expression"] == "'" + HOSTILE
    assert row["image"] == "images/frame_00001.png" and row["mask"] == "masks/mask_00001.png"
    tasks = json.loads((worklist / "label_studio.json").read_text())
    assert HOSTILE in tasks[0]["data"]["expression"] and "dog" not in (worklist / "label_studio.xml").read_text()


def test_masks_as_pictures(worklist):
    for row in rows_of(worklist):
        assert (read_mask(worklist / row["mask"]) == MASKS[Path(row["audited_mask"]).stem]).all()
    assert Image.open(worklist / "images/frame_00001.png").size == (WIDTH, HEIGHT)


def test_coco(worklist):
    coco = COCO(worklist / "coco.json")
    for row, annotation in zip(rows_of(worklist), coco.loadAnns(coco.getAnnIds()), strict=True):
        mask = MASKS[Path(row["audited_mask"]).stem]
        assert (coco.annToMask(annotation) == mask).all() and annotation["area"] == mask.sum()
        assert coco.cats[annotation["category_id"]]["name"] == known(row["mask_type"])
        assert str(annotation["score"]) == row["expected_iou"]


def test_yolo(worklist):
    names = yaml.safe_load((worklist / "data.yaml").read_text())["names"]
    found = read_outlines(worklist / "labels/frame_00001.txt", (HEIGHT, WIDTH))
    for row, one in zip(rows_of(worklist), found, strict=True):
        assert names[one.class_number] == known(row["mask_type"])
        mask = MASKS[Path(row["audited_mask"]).stem]
        inner = cv2.erode(mask.astype(np.uint8), np.ones((3, 3))) > 0
        assert not (one.mask & ~mask).any() and not (inner & ~one.mask).any()
    assert list(names.values()) == list(CLASSES)


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    return (one & other).sum() / (one | other).sum()


@pytest.mark.parametrize("mask", [np.eye(1, dtype=bool), SPECKLED, np.ones((2, 3), bool)], ids=["dot", "holes", "all"])
def test_outlines_keep_holes_and_parts(tmp_path, mask):
    """Where a pixel is 20 wide, half a pixel less on every side is little."""
    large = mask.repeat(20, 0).repeat(20, 1)
    (tmp_path / "a.txt").write_text(outline_line(0, large))
    (found,) = read_outlines(tmp_path / "a.txt", large.shape)
    assert overlap(found.mask, large) > 0.85


@pytest.mark.parametrize("mask", [SPECKLED, np.zeros((3, 4), bool), np.ones((300, 400), bool), np.eye(5, dtype=bool)])
def test_brush_codes(mask):
    assert (decode_brush(encode_brush(mask), mask.shape) == mask).all()


@pytest.mark.parametrize("codes", [[], [1, 2, 3], encode_brush(SPECKLED)[:-9], [300] * 40])
def test_broken_brush_codes(codes):
    with pytest.raises(ValueError, match="brush code: expected"):
        decode_brush(codes, SPECKLED.shape)


def test_label_studio_tasks(worklist):
    tasks = json.loads((worklist / "label_studio.json").read_text())
    for row, task in zip(rows_of(worklist), tasks, strict=True):
        (prediction,) = task["predictions"]
        assert str(prediction["score"]) == row["expected_iou"]
        brush, *choices = prediction["result"]
        size = brush["original_height"], brush["original_width"]
        assert (decode_brush(brush["value"]["rle"], size) == MASKS[Path(row["audited_mask"]).stem]).all()
        assert [one["value"]["choices"][0] for one in choices] == [
            v for v in (row["mask_type"], row["action"]) if v != "?"
        ]
        assert task["data"]["image"] == "/data/local-files/?d=images/frame_00001.png"


def test_prompts_say_what_is_meant_and_where_the_mask_is(worklist):
    prompts = [json.loads(line) for line in (worklist / "prompts.jsonl").read_text().splitlines()]
    by_name = {Path(row["audited_mask"]).stem: prompt for row, prompt in zip(rows_of(worklist), prompts, strict=True)}
    merge = by_name["merge_2"]
    assert (merge["object"], merge["wrong_object"], merge["frame"], merge["expression"]) == ("dog", "cat", 3, HOSTILE)
    assert by_name["gt"]["box"] == [20, 20, 60, 60] and by_name["gt"]["size"] == [WIDTH, HEIGHT]


def test_an_earlier_list_is_replaced_as_a_whole(results, tmp_path):
    written(tmp_path, results, {"flag": {"types": ["cutout", "merge"]}})
    assert len(list((tmp_path / "list/masks").iterdir())) == 5
    written(tmp_path, results, {"flag": {"types": ["cutout"]}})
    assert len(list((tmp_path / "list/masks").iterdir())) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["list", "policy.yaml"]


def test_the_default_policy_is_as_the_help_says():
    policy = read_policy(DEFAULT_POLICY)
    assert policy.masks == 200 and policy.flags.expected_iou_below == 0.75


WRONG_POLICIES = [
    ("flag: {expected_iou_below: 2}", "flag: expected_iou_below: expected a number from 0 to 1, got 2"),
    ("flag: {types: [gone]}", "flag: types: expected a list of values, each one of perfect"),
    ("flag: {iou: 0.5}", "flag: expected no other keys than expected_iou_below"),
    ("budget: {hours: 2}", "budget: expected masks, or hours with seconds_each, got hours"),
    ("budget: {hours: 0.001, seconds_each: 60}", "budget: expected time for one mask or more, got 0.001 hours"),
    ("first: best", "first: expected one of worst, least_certain, got 'best'"),
    ("- 200", "expected the keys flag, first and budget, got list"),
    ("a: [", "not valid YAML"),
]


@pytest.mark.parametrize(("text", "sentence"), WRONG_POLICIES)
def test_wrong_policies(results, tmp_path, capsys, text, sentence):
    (tmp_path / "policy.yaml").write_text(text)
    flags = ["--output", str(tmp_path / "list"), "--policy", str(tmp_path / "policy.yaml")]
    assert main([str(results), *flags]) == 2
    assert sentence in capsys.readouterr().err and not (tmp_path / "list").exists()


WRONG_MARKS = [
    ("{}", "expected marks that a report's page has saved"),
    ('{"marks": [1]}', "mark 1: expected an object, got '1'"),
    ('{"marks": [{"uid": "a", "frame_idx": 1, "mask_path": "m", "mark": "good"}]}', "mark: expected one of right"),
    ('{"marks": [{"uid": "a", "frame_idx": 1, "mask_path": "m", "mark": "right"}]}', "1 of other masks, for example m"),
]


@pytest.mark.parametrize(("text", "sentence"), WRONG_MARKS)
def test_wrong_marks(results, tmp_path, capsys, text, sentence):
    (tmp_path / "marks.json").write_text(text)
    flags = ["--output", str(tmp_path / "list"), "--marks", str(tmp_path / "marks.json")]
    assert main([str(results), *flags]) == 2
    assert sentence in capsys.readouterr().err and not (tmp_path / "list").exists()


def test_other_folders_are_left_alone(results, tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("precious")
    assert main([str(results), "--output", str(tmp_path)]) == 2
    assert main([str(results / "none"), "--output", str(tmp_path / "list")]) == 2
    error = capsys.readouterr().err
    assert "an earlier work list, got other files" in error and "no such folder with results" in error
    assert (tmp_path / "thesis.txt").read_text() == "precious"


def test_a_mask_that_is_gone_leaves_nothing_behind(results, tmp_path, capsys):
    copy = shutil.copytree(results.parent, tmp_path / "copy")
    record = next(copy.glob("results/*/run.json"))
    record.write_text(record.read_text().replace(str(results.parent), str(copy)))
    (copy / "MQ-RAVSBench" / FOLDERS[TEST] / "merge_1.png").unlink()
    assert main([str(copy / "results"), "--output", str(tmp_path / "list")]) == 2
    assert "merge_1.png" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


def test_masks_of_ones_own_keep_what_their_jobs_carried(tmp_path):
    own = own_results(tmp_path / "own", ["a", "b"])
    rows = [json.loads(line) for line in (own / "audits.jsonl").read_text().splitlines()]
    given = [row | {"ticket": [1, 2], "=who": "=me", "job_iou": 3, "why": "asked"} for row in rows]
    write_jsonl(own / "audits.jsonl", given)
    assert main([str(own), "--output", str(tmp_path / "list")]) == 0
    row, other = rows_of(tmp_path / "list")
    assert (row["ticket"], row["'=who"], row["job_iou"], row["job_why"]) == ("[1, 2]", "'=me", "3", "asked")
    assert "clip unlike training's" in row["why"] and (row["frame"], other["audited_mask"]) == ("3", "b")
    annotation, _ = json.loads((tmp_path / "list/coco.json").read_text())["annotations"]
    assert annotation["attributes"]["ticket"] == [1, 2]
    assert (read_mask(tmp_path / "list" / row["mask"]) == np.tri(48, 64, dtype=bool)).all()


def test_the_confidence_of_a_label_is_its_own_probability(tmp_path):
    """The auditor wrote merge, and holds perfect for likelier."""
    results = own_results(tmp_path / "own", ["a"])
    assert main([str(results), "--output", str(tmp_path / "list"), "--formats", "fiftyone"]) == 0
    (sample,) = json.loads((tmp_path / "list/fiftyone/samples.json").read_text())["samples"]
    (found,) = sample["audits"]["detections"]
    assert found["label"] == "merge" and 0 < found["confidence"] < found["certainty"] / 2
