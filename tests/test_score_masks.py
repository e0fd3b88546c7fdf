"""The program that scores masks: what it reads, what it says of gaps, and its sentences about bad input."""

import io
import json
import shutil

import cv2
import numpy as np
import pytest

from dataset.referring.expressions import Expression, read_expressions
from dataset.referring.layout import ReferringData
from dataset.referring.masks import MaskFolder, SoftMask, write_masks
from scripts.segment.score import main
from tests.conftest import GOLDEN

GROUND = GOLDEN / "tgs/03_ground_segment"
DATA, R2 = GROUND / "REFAVS", GROUND / "R2AVSBench"
ARGUMENTS = ["--data_dir", str(DATA), "--metadata_dir", str(R2)]


def expressions_of(*splits):
    return ReferringData(DATA, R2).expressions(splits)


def write_truth_as_masks(root, splits=("test_s",)):
    """Masks that are right wherever there is a truth; the size of the truth."""
    data = ReferringData(DATA, R2)
    for expression in data.expressions(splits):
        truths = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in data.truth_paths(expression)]
        masks = [None if truth is None else SoftMask(truth > 0, (truth > 0) * np.float32(0.75)) for truth in truths]
        write_masks(root, expression.key, masks, with_soft=True)
    return root


def run(masks, capsys, *arguments) -> tuple[int, dict, str]:
    code = main([str(masks), *ARGUMENTS, "--output_dir", str(masks.parent / "scores"), *arguments])
    written = masks.parent / "scores/scores.json"
    printed = capsys.readouterr()
    return code, json.loads(written.read_text()) if code == 0 else {}, printed.out + printed.err


def test_expressions_of_both_benchmarks():
    plain, r2 = expressions_of("test_s"), ReferringData(DATA, R2, "r2avs").expressions(["test_s"])
    assert [e.text for e in plain[:4]][1:4:2] == ["  the SOUNDING object ", "The one, who sings; first."]
    assert [e.key for e in r2][-1] == "vA-1_0_10000_dog_1~2"
    assert r2[3].text == "R2 wording: The one, who sings; first."
    assert {e.vid for e in expressions_of("test_n")} == {"null_c-vA-1_0_10000"}
    assert [e.is_null for e in expressions_of("test_u", "test_n")] == [False, True, True, True]


def test_right_masks_score_one_and_gaps_are_listed(tmp_path, capsys):
    masks = write_truth_as_masks(tmp_path / "masks")
    (masks / "vA-1_0_10000_dog_1" / "00003.png").unlink()
    shutil.rmtree(masks / "vB_5000_15000_woman_1")
    code, scores, text = run(masks, capsys, "--test_name", "test_s")
    assert code == 0
    assert scores["frames_without_truth"]["vB_5000_15000_guitar_1"] == [2, 5]
    assert scores["frames_without_mask"]["vA-1_0_10000_dog_1"] == [3]
    assert scores["without_any_mask"] == ["vB_5000_15000_woman_1"]
    assert "with frames without a truth, which are not scored: vB_5000_15000_guitar_1" in text
    rows = [json.loads(line) for line in (tmp_path / "scores/samples.jsonl").read_text().splitlines()]
    strict = {row["key"]: row["values"]["strict"] for row in rows}
    assert strict["vA-1_0_10000_piano_2"] == {"J": 1.0, "F": 1.0, "J&F": 1.0, "boundary_F": 1.0}
    assert strict["vA-1_0_10000_dog_1"]["J"] == pytest.approx(0.9)
    assert scores["protocols"]["strict"]["test_s"]["samples"] == 5
    assert {"cat", "dog", "guitar", "piano", "woman"} == set(scores["by_category"])
    assert sum(group["samples"] for group in scores["by_num_objects"].values()) == 5
    assert (tmp_path / "scores/scores.png").is_file()


def test_a_sample_without_masks_can_be_left_out(tmp_path, capsys):
    masks = write_truth_as_masks(tmp_path / "masks")
    shutil.rmtree(masks / "vB_5000_15000_woman_1")
    _, scores, _ = run(masks, capsys, "--test_name", "test_s", "--on_missing", "leave_out", "--pictures", "0")
    assert scores["left_out"] == ["vB_5000_15000_woman_1"]
    assert scores["protocols"]["strict"]["test_s"]["J"] == 1.0
    assert not (tmp_path / "scores/scores.png").exists()


def test_masks_of_nothing_get_s(tmp_path, capsys):
    size = cv2.imread(str(next((DATA / "gt_mask").rglob("fid_0/00000.png")))).shape[:2]
    quarter = np.zeros(size, bool)
    quarter[: size[0] // 2, : size[1] // 2] = True
    for number, expression in enumerate(expressions_of("test_n")):
        mask = quarter if number == 0 else quarter & False
        write_masks(tmp_path / "masks", expression.key, [SoftMask(mask)] * 10)
    _, scores, text = run(tmp_path / "masks", capsys, "--test_name", "test_n")
    of_null = scores["protocols"]["strict"]["test_n"]
    assert of_null["S"] == pytest.approx(0.5 / 3, abs=0.01)
    assert of_null["silent"] == pytest.approx(2 / 3)
    assert "J" not in of_null
    assert "left free" in text


def test_logits_of_another_size(tmp_path, capsys):
    """As EEMC gives them: ten frames of 256 x 256, with or without a channel."""
    data = ReferringData(DATA, R2)
    (tmp_path / "masks").mkdir()
    for number, expression in enumerate(data.expressions(["test_s"])):
        truths = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in data.truth_paths(expression)]
        inside = [np.zeros((1, 1), np.float32) if t is None else (t > 0).astype(np.float32) for t in truths]
        logits = np.stack([cv2.resize(mask, (256, 256)) * 16 - 8 for mask in inside])
        name = tmp_path / "masks" / expression.key
        if number % 2:
            np.savez(f"{name}.npz", logits=logits[:, None].astype(np.float32))
        else:
            np.save(f"{name}.npy", logits.astype(np.float32))
    _, scores, _ = run(tmp_path / "masks", capsys, "--test_name", "test_s")
    assert scores["protocols"]["refavs"]["test_s"]["F"] > 0.9
    assert scores["without_any_mask"] == []


@pytest.mark.parametrize("num_workers", [1, 2])
def test_several_processes_give_the_same(tmp_path, capsys, num_workers):
    masks = write_truth_as_masks(tmp_path / "masks")
    _, scores, _ = run(masks, capsys, "--test_name", "test_s", "--pictures", "0", "--num_workers", str(num_workers))
    assert scores["protocols"]["tgs"]["test_s"]["J"] == pytest.approx(0.9, abs=0.1)


def bad_metadata(tmp_path, *lines):
    path = tmp_path / "metadata.csv"
    path.write_text("vid,uid,split,fid,exp\n" + "\n".join(lines) + "\n")
    return ["--metadata", str(path)]


BAD = {
    "no folder of masks": (lambda t: ["masks_not_there"], "masks masks_not_there: expected a folder"),
    "no masks of these expressions": (lambda t: [str(t)], "expected masks such as vA-1_0_10000_dog_1/00000.png"),
    "no dataset": (lambda t: [str(t), "--data_dir", "none"], "none: expected a folder with media and gt_mask"),
    "no such split": (lambda t: [str(t), "--test_name", "test_x"], "--test_name: expected some of train, val"),
    "no metadata": (lambda t: [str(t), "--metadata", str(t / "none.csv")], "none.csv: no such file"),
    "no rows": (lambda t: [str(t), "--test_name", "val"], "expected rows of split val, got test_n, test_s, test_u"),
    "few columns": (
        lambda t: [str(t), *bad_metadata(t, "v,v_dog_1,test_s,1")],
        "metadata.csv line 2: expected 5 cells, one for each column, got 4",
    ),
    "no number": (
        lambda t: [str(t), *bad_metadata(t, "v,v_dog_1,test_s,x,a dog")],
        "fid: expected the number of an object, got 'x'",
    ),
    "bad uid": (lambda t: [str(t), *bad_metadata(t, "v,dog,test_s,1,a dog")], "expected a uid <vid>_<object>_<number>"),
    "a path as uid": (lambda t: [str(t), *bad_metadata(t, "v,../v_dog_1,test_s,1,a dog")], "expected a uid"),
    "no words": (
        lambda t: [str(t), *bad_metadata(t, "v,v_dog_1,test_s,1, ")],
        "expression of v_dog_1: expected words, got none",
    ),
    "protocol": (lambda t: [str(t), "--protocols", "x"], "--protocols: expected some of strict, tgs, refavs, got x"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_ends_in_a_sentence(name, tmp_path, capsys):
    make, sentence = BAD[name]
    try:
        code = main([*make(tmp_path)[:1], *ARGUMENTS, "--test_name", "test_s", *make(tmp_path)[1:]])
    except SystemExit as end:
        code = end.code
    error = capsys.readouterr().err.strip().splitlines()
    assert code == 2
    assert sentence in error[-1]


NOISE = np.random.default_rng(0).normal(size=(10, 4, 6))


def claimed() -> bytes:
    """A small file whose header says that it is 2^52 bytes large."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f4", "fortran_order": False, "shape": (10, 2**23, 2**23)})
    return stream.getvalue()


CLAIMED = claimed()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("u.npy", np.zeros((9, 4, 4)), "expected one array of logits (10, height, width), got (9, 4, 4)"),
        ("u.npy", np.full((10, 4, 4), np.nan), "numbers that are not finite"),
        ("u.npy", b"nothing", "a file that cannot be read"),
        ("u/00000.png", b"nothing", "cannot be decoded"),
        ("u/soft/00000.png", b"nothing", "cannot be decoded"),
        ("u.npy", 1 / (1 + np.exp(-NOISE)), "below 0 outside the object, got numbers from"),
        ("u.npy", (NOISE > 0) * np.arange(10)[:, None, None], "as probabilities or labels have them"),
        ("u.npy", NOISE[:, :0], "expected one array of logits (10, height, width), got (10, 0, 6)"),
        ("u.npy", CLAIMED, "got a file that cannot be read (Unable to allocate"),
        ("u/00010.png", b"nothing", "expected masks 00000.png to 00009.png, got 00010.png"),
        ("u/3.jpg", b"nothing", "expected masks 00000.png to 00009.png, got 3.jpg"),
    ],
)
def test_bad_masks(tmp_path, name, content, sentence):
    if name.startswith("u/"):
        write_masks(tmp_path, "u", [SoftMask(np.ones((4, 6), bool))] * 10, with_soft=True)
    if isinstance(content, bytes):
        (tmp_path / name).write_bytes(content)
    else:
        np.save(tmp_path / name, content)
    with pytest.raises(ValueError) as error:
        MaskFolder(tmp_path).read(Expression("u", "test_s", 1, "a dog"))
    assert sentence in str(error.value)


def test_rows_of_other_splits_do_not_matter(tmp_path):
    path = tmp_path / "metadata.csv"
    path.write_text("v,v_dog_1,test_s,1,a dog,7\nv,v_dog_2,train,x,,\n")
    assert [(e.uid, e.fid, e.text) for e in read_expressions(path, ["test_s"])] == [("v_dog_1", 1, "a dog")]
