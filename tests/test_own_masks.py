"""Audits of many masks: every format, what is carried through, going on, and wrong input of each kind."""

from __future__ import annotations

import csv
import json
import shutil

import cv2
import numpy as np
import pytest
import soundfile
from PIL import Image

from configs.audit import AuditArguments
from scripts import audit as program
from scripts.answering import stored_answers
from scripts.own_masks.sources import open_source
from scripts.reporting.audits import read_results
from scripts.reporting.own import read_own_audits
from scripts.session import AuditSession
from tests.conftest import BENCHMARK, GOLDEN
from tests.test_clip import encode
from utils.run_length import encode_rle

CKPT = GOLDEN / "weights/ckpt"
MASK = np.tri(48, 64, dtype=bool)
STILL = ["--still", "--no_audio"]


@pytest.fixture(scope="module")
def auditor(quick_weights_dir, tmp_path_factory):
    folder = tmp_path_factory.mktemp("auditors") / "MQ-Auditor"
    parts = {"pretrained_weights_dir": str(quick_weights_dir), "lora_r": 4, "lora_alpha": 8, "device": "cpu"}
    AuditSession.from_pretrained(CKPT, **parts).bundle.save_pretrained(folder)
    return folder


@pytest.fixture
def data(tmp_path):
    """Pictures, masks and lists in every format; the names of the options that read them."""
    clip = shutil.copytree(BENCHMARK / "media/tC3", tmp_path / "clip", copy_function=shutil.copyfile)
    images, masks = tmp_path / "pairs/images", tmp_path / "pairs/masks"
    images.mkdir(parents=True)
    masks.mkdir()
    Image.fromarray(np.full((48, 64, 3), 90, np.uint8)).save(images / "one.jpg")
    Image.fromarray(MASK).save(masks / "one.png")
    compressed = encode_rle(MASK)
    counts = np.diff(np.flatnonzero(np.diff(np.r_[-1, MASK.T.ravel().astype(int), -1]))).tolist()
    plain = {"size": [48, 64], "counts": ([0] if MASK.T.ravel()[0] else []) + counts}
    polygon = [[2.0, 2.0, 40.0, 2.0, 40.0, 40.0]]
    made = [{"image_id": 1, "category_id": 3, "segmentation": s, "score": 0.5} for s in (compressed, plain, polygon)]
    (tmp_path / "results.json").write_text(json.dumps(made))
    content = {
        "images": [{"id": 1, "file_name": "one.jpg"}],
        "annotations": [],
        "categories": [{"id": 3, "name": "cat"}],
    }
    (tmp_path / "instances.json").write_text(json.dumps(content))
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels/one.txt").write_text("1 0.1 0.1 0.9 0.1 0.9 0.9\n0 0.1 0.1 0.4 0.1 0.4 0.4 0.75\n")
    for folder in ("frames", "palettes"):
        (tmp_path / folder / "bear").mkdir(parents=True)
    for number in range(12):
        Image.fromarray(np.full((48, 64, 3), 20 * number, np.uint8)).save(tmp_path / f"frames/bear/{number:05d}.jpg")
    numbers = Image.fromarray(np.where(MASK, 1, 2).astype(np.uint8), "P")
    numbers.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    numbers.save(tmp_path / "palettes/bear/00011.png")
    rows = [["clip", "expression", "frame", "mask", "who"], ["clip", "the piano", "6", "pairs/masks/one.png", "=me"]]
    with (tmp_path / "jobs.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    job = {"clip": "clip", "expression": "the man", "frame": 2, "mask": "pairs/masks/one.png", "tags": [1, 2], "iou": 3}
    (tmp_path / "jobs.jsonl").write_text(json.dumps(job) + "\n")
    assert clip.is_dir()
    return tmp_path


SOURCES = {
    "jobs.csv": (["--jobs", "jobs.csv"], 1),
    "jobs.jsonl": (["--jobs", "jobs.jsonl"], 1),
    "coco": (["--coco", "results.json", "--instances", "instances.json", "--images", "pairs/images", *STILL], 3),
    "yolo": (["--yolo", "labels", "--images", "pairs/images", "--class_names", "dog", "big_cat", *STILL], 2),
    "davis": (["--davis", "palettes", "--images", "frames", "--expression", "the bear", "--no_audio"], 2),
    "pairs": (["--pairs", "pairs", "--expression", "the triangle", *STILL], 1),
}


def run(data, auditor, *more, output="out", report=False) -> int:
    settings = ["--auditor", str(auditor), "--output", output, "--max_new_tokens", "4", "--num_workers", "0"]
    settings += ["--report", str(report).lower()]
    return program.main([*more, *settings, "--device", "cpu"])


def rows_of(data, output="out") -> list[dict]:
    return [json.loads(line) for line in (data / output / "audits.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("name", SOURCES)
def test_masks_of_every_format(data, auditor, monkeypatch, capsys, name):
    monkeypatch.chdir(data)
    flags, count = SOURCES[name]
    assert run(data, auditor, *flags, report=name == "pairs") == 0
    assert (data / "out/report/index.html").is_file() == (name == "pairs")
    rows = rows_of(data)
    assert len(rows) == count and all(len(row["generated_ids"]) == 4 for row in rows)
    with (data / "out/audits.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["mask"] for row in table] == [row["mask"] for row in rows]
    shown = capsys.readouterr().out
    if name == "jobs.csv":
        assert (rows[0]["who"], table[0]["who"]) == ("=me", "'=me") and rows[0]["frame"] == 6
        assert [audit[-1] for audit in read_own_audits(data / "out/audits.jsonl")] == [{"who": "=me"}]
    if name == "jobs.jsonl":
        assert rows[0]["tags"] == [1, 2] and rows[0]["job_iou"] == 3
    if name == "coco":
        assert {row["score"] for row in rows} == {0.5} and {row["expression"] for row in rows} == {"the cat"}
        assert "CAREFUL: asked about by a name that several masks of their picture have: 3 masks, for exam" in shown
        first, second = (np.asarray(Image.open(data / "out" / row["mask_path"])) > 0 for row in rows[:2])
        assert (first == MASK).all() and (second == MASK).all()
    if name == "yolo":
        assert [(row["expression"], row["score"]) for row in rows] == [("the big cat", None), ("the dog", 0.75)]
    if name == "davis":
        assert [row["object"] for row in rows] == [1, 2] and (rows[0]["frame"], rows[0]["place"]) == (11, 9)
        assert "frames 0, 1, 2, 3, 4, 6, 7, 8, 9, 11" in rows[0]["shown"] and "silence" in shown


def test_every_object_of_a_palette_has_its_own_expressions(data):
    rows = ["clip,object,expression", "bear,1,the bear", 'bear,1,"the big, brown one"']
    (data / "palettes/expressions.csv").write_text("\n".join(rows) + "\n")
    Image.fromarray(np.full((48, 64), 255, np.uint8)).save(data / "palettes/bear/00003.png")
    settings = {"davis": str(data / "palettes"), "images": str(data / "frames"), "no_audio": True}
    source = open_source(AuditArguments(**settings))
    found = [(one.name, one.request.expression) for one in source.masks]
    assert found == [("bear/00011: 1 (1)", "the bear"), ("bear/00011: 1 (2)", "the big, brown one")]
    unnamed, empty = source.about()
    assert unnamed == "expressions.csv has no expression of 1 objects, for example bear: 2"
    assert empty.startswith("no object (0 and 255 are none): 1 pictures, for example") and "00003.png" in empty
    for row, sentence in (
        ("cat,1,x", "line 2: expected a clip with a folder in"),
        ("bear,0,x", "the number of an obj"),
    ):
        (data / "palettes/expressions.csv").write_text(f"clip,object,expression\n{row}\n")
        with pytest.raises(ValueError, match=sentence):
            open_source(AuditArguments(**settings))


def test_every_frame_of_mask_folders_and_of_logits(auditor, tmp_path, monkeypatch, capsys):
    root = tmp_path / "data"
    for frame in range(10):
        for path in (root / f"media/v1/frames/{frame}.jpg", root / f"gt_mask/v1/fid_0/{frame:05d}.png"):
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((48, 64, 3), 9 * frame, np.uint8)).save(path)
    shutil.copyfile(BENCHMARK / "media/tC3/audio.wav", root / "media/v1/audio.wav")
    lines = [
        "vid,uid,split,fid,exp",
        "v1,v1_dog_1,test_s,0,the dog",
        "v1,v1_cat_2,test_s,0,the cat",
        "v1,v1_cow_3,test_s,0,a cow",
    ]
    (root / "metadata.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "masks/v1_dog_1").mkdir(parents=True)
    Image.fromarray(MASK).save(tmp_path / "masks/v1_dog_1/00003.png")
    np.save(tmp_path / "masks/v1_cat_2.npy", np.where(MASK, 2.0, -2.0)[None].repeat(10, 0))
    (tmp_path / "masks/v1_dgo_1").mkdir()
    monkeypatch.chdir(tmp_path)
    assert run(tmp_path, auditor, "--mask_root", "masks", "--data_dir", "data", "--test_name", "test_s") == 0
    rows, shown = rows_of(tmp_path), capsys.readouterr().out
    assert "no mask of 1 expressions, for example v1_cow_3" in shown
    assert "of no expression in test_s: 1 masks, for example v1_dgo_1" in shown
    assert [row["mask"] for row in rows] == ["v1_dog_1/00003", *(f"v1_cat_2/{n:05d}" for n in range(10))]
    assert len({tuple(row["video_paths"]) for row in rows}) == 1


def test_several_masks_and_expressions_of_one_video(auditor, data, monkeypatch):
    """The moment of the mask is among those that are shown, in a video of any length."""
    monkeypatch.chdir(data)
    encode(data / "long.mkv", seconds=12.5)
    masks = ["--mask", "pairs/masks/one.png", "pairs/masks/one.png", "--expression", "a wall", "a door"]
    assert run(data, auditor, "--video", "long.mkv", "--at", "11.5", *masks) == 0
    rows = rows_of(data)
    assert [row["expression"] for row in rows] == ["a wall", "a door"]
    assert [rows[0][name] for name in ("frame", "at", "place")] == [None, 11.5, 9]
    (audit, _) = read_own_audits(data / "out/audits.jsonl")
    assert (audit.frame, audit.at, audit.prediction.frame_idx) == (None, 11.5, 9)
    assert rows[0]["shown"] == "at 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5, 10.5, 11.5 s"


def test_frames_of_a_known_rate_come_with_their_own_sound(auditor, data, monkeypatch):
    """12 frames, one in two seconds: the ten seconds that end with frame 11 begin at 13 s."""
    monkeypatch.chdir(data)
    loud = np.zeros(24 * 8000, np.float32)
    loud[14 * 8000 :] = 0.5
    soundfile.write(data / "frames/bear/audio.wav", loud, 8000)
    job = {"clip": "frames/bear", "expression": "the bear", "frame": 11, "mask": "pairs/masks/one.png"}
    (data / "jobs.jsonl").write_text(json.dumps(job) + "\n")
    assert run(data, auditor, "--jobs", "jobs.jsonl", "--fps", "0.5") == 0
    (row,) = rows_of(data)
    assert row["shown"].startswith("frames 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, counted from 0, at 12.0, 14.0, 14.0,")
    assert (row["frame"], row["place"]) == (11, 9) and row["frame_path"].endswith("00011.jpg")
    heard, rate = soundfile.read(data / "out" / row["audio_path"])
    assert len(heard) == 10 * rate and not heard[: rate - 9].any() and heard[rate + 9 :].min() > 0.4


def test_an_interrupted_run_goes_on(auditor, data, monkeypatch):
    monkeypatch.chdir(data)
    flags, _ = SOURCES["coco"]
    real, counts = stored_answers.audit_all, []

    def stop(answerer, requests, log, record_of, **how):
        counts.append(len(requests))
        real(answerer, requests[:2] if len(counts) == 1 else requests, log, record_of, **how)
        if len(counts) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(stored_answers, "audit_all", stop)
    assert run(data, auditor, *flags) == 130
    assert run(data, auditor, *flags) == 0
    assert counts == [3, 1] and len(rows_of(data)) == 3
    assert not list((data / "out").glob("*.partial"))


def test_audits_of_an_earlier_run_are_kept_with_their_masks(auditor, data, monkeypatch, capsys):
    monkeypatch.chdir(data)
    assert run(data, auditor, *SOURCES["coco"][0]) == 0
    assert run(data, auditor, *SOURCES["yolo"][0]) == 0
    assert "the audits of an earlier run go to out/previous" in capsys.readouterr().out
    shutil.move(data / "out", data / "moved")
    for place, count in (("moved", 2), ("moved/previous", 3)):
        ((own,), masks) = read_results(data / place), list((data / place / "masks").iterdir())
        assert len(own.predictions) == count == len(masks)
        assert {one.candidate.mask_path for one in own.own.values()} == set(masks)


def saved(picture: np.ndarray) -> bytes:
    return cv2.imencode(".png", picture)[1].tobytes()


SMOOTH = cv2.GaussianBlur(MASK * np.uint8(255), (0, 0), 3)
JOB = '{"clip": "clip", "expression": "the man", "frame": 2, "mask": "pairs/masks/one.png"}'
ONE = ["--mask", "a", "--expression", "x"]
BROKEN = [{"image_id": 1, "category_id": 3, "segmentation": {"size": [48, 64], "counts": "zz"}}]
WRONG = [
    (["--jobs", "jobs.csv", "--coco", "x"], None, "expected one source of masks, got --jobs, --coco"),
    ([], None, "--mask: expected a picture of a mask, or a source of many"),
    (["--jobs", "absent.csv"], None, "absent.csv"),
    (
        ["--jobs", "jobs.csv"],
        ("jobs.csv", "clip,expression,mask\nnone,a cat,x.png\n"),
        "jobs.csv line 2: none: no such clip",
    ),
    (["--jobs", "jobs.csv"], ("jobs.csv", "clip,mask\na,b\n"), "expected the columns clip,expression,mask"),
    (
        ["--jobs", "jobs.csv"],
        ("jobs.csv", "clip,expression,frame,mask\nclip,a,x,pairs/masks/one.png\n"),
        "line 2: frame: expected a whole number, got 'x'",
    ),
    (["--jobs", "jobs.jsonl"], ("jobs.jsonl", '{"clip": "clip"}\n'), "line 1: expected expression as text, got null"),
    (["--jobs", "jobs.jsonl"], ("jobs.jsonl", "[1]\n"), "jobs.jsonl line 1: expected one JSON object"),
    (SOURCES["coco"][0][:-2], None, "--coco: its pictures neither move nor sound: say so with --still --no_audio"),
    (["--coco", "results.json", "--images", "pairs/images", *STILL], None, "got a list, as COCO results are"),
    (SOURCES["coco"][0], ("results.json", '{"a": 1}'), "results.json: expected COCO results, a list"),
    (SOURCES["coco"][0], ("results.json", json.dumps(BROKEN)), "annotation 1: run-length code"),
    (SOURCES["yolo"][0], ("labels/one.txt", "0 0.1 0.1 0.4 0.4\n"), "line 1: expected an outline of three points"),
    (SOURCES["yolo"][0], ("labels/one.txt", "0 10 10 40 10 40 40\n"), "expected points in parts of the picture"),
    (SOURCES["yolo"][0], ("labels/one.txt", "7 0.1 0.1 0.9 0.1 0.9 0.9\n"), "expected a class from 0 to 1"),
    (SOURCES["yolo"][0], ("labels/two.txt", "0 0.1 0.1 0.9 0.1 0.9 0.9\n"), "two.txt: expected its picture two.jpg"),
    (SOURCES["davis"][0], ("palettes/bear/00040.png", None), "00040.png: expected its frame in frames/bear, got none"),
    (SOURCES["davis"][0], ("palettes/bear/overlay_00011.png", None), "expected each frame number once, got "),
    (SOURCES["davis"][0], ("palettes/bear/overlay_00010.png", None), "palettes/bear: expected names such as "),
    (SOURCES["davis"][0], ("palettes/bear/00011.png", saved(SMOOTH)), "nowhere 2 pixels wide"),
    (
        SOURCES["yolo"][0],
        ("pairs/images/one.png", saved(MASK)),
        "expected one picture of this name, got one.jpg as well",
    ),
    (["--jobs", "jobs.jsonl"], ("jobs.jsonl", JOB.replace("2", "Infinity")), "frame: expected a whole number, got inf"),
    (
        SOURCES["yolo"][0],
        ("labels/one.txt", "0 0.1 0.1 0.9 0.1 0.9 0.9 7\n"),
        "or a confidence from 0 to 1 as the last",
    ),
    (["--jobs", "jobs.jsonl"], ("jobs.jsonl", JOB.replace("}", ', "audio": [1]}')), "expected audio as text, got [1]"),
    (["--jobs", "jobs.jsonl"], ("jobs.jsonl", JOB.replace("2", '"1_0"')), "expected a whole number, got '1_0'"),
    (
        ["--davis", "palettes", "--images", "frames", "--no_audio"],
        None,
        "expressions.csv (clip,object,expression) or with --expr",
    ),
    (["--pairs", "absent", *STILL], None, "no such folder; expected images/NAME.jpg"),
    (["--mask_root", "palettes"], None, "--mask_root: expected the dataset with --data_dir, got none"),
    (["--mask", "a", "b", "c", "--expression", "x", "y"], None, "expected one, or one for each mask, got 2 for 3"),
    ([*ONE, "--video", "v.mp4", "--frame", "1", "--at", "2"], None, "--at: expected it with --video"),
    ([*ONE, "--video", "v.mp4"], None, "--frame: expected the mask's frame, or its moment"),
    ([*ONE, "--video", "v.mp4", "--frame", "1", "--fps", "5"], None, "--fps: expected it with a folder of frames"),
    ([*SOURCES["pairs"][0], "--fps", "5"], None, "--fps: expected none with --pairs"),
    ([*SOURCES["davis"][0], "--fps", "0"], None, "--fps: expected images in a second, above 0, got 0"),
    ([*ONE, "--video", "v.mp4", "--still"], None, "--still: expected one picture as --frames"),
]


@pytest.mark.parametrize(("flags", "change", "sentence"), WRONG)
def test_wrong_input_ends_in_one_sentence(data, auditor, monkeypatch, capsys, flags, change, sentence):
    monkeypatch.chdir(data)
    if change:
        path, text = change
        text = saved(MASK * np.uint8(1)) if text is None else text
        (data / path).write_bytes(text if isinstance(text, bytes) else text.encode())
    try:
        code = run(data, auditor, *flags)
    except SystemExit as error:
        code = error.code
    said = capsys.readouterr().err.splitlines()
    assert code == 2 and said[-1].startswith("audit: ") and sentence in said[-1], said
