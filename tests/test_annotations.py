"""Reading a benchmark: what comes out, and one clear sentence for everything that can be wrong with it."""

import csv
import json
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from dataset.benchmark import validation
from dataset.benchmark.annotations import read_test, read_train
from dataset.benchmark.validation import BadData, validated
from dataset.media.usable import MOST_LISTED, usable_mask
from tests.conftest import BENCHMARK, golden_json

META = "train_test_meta_files"
TRAIN, IMAGE, VIDEO = (f"{META}/{name}_filtered.json" for name in ("train_audit_only", "test_s_image", "test_s_video"))


@pytest.fixture
def benchmark(tmp_path) -> Path:
    """A copy of the golden benchmark that a test may damage."""
    return Path(shutil.copytree(BENCHMARK, tmp_path / "MQ-RAVSBench", copy_function=shutil.copyfile))


def edit(root: Path, name: str, change) -> None:
    content = json.loads((root / name).read_text())
    changed = change(content)
    (root / name).write_text(json.dumps(content if changed is None else changed))


def edit_csv(root: Path, change) -> None:
    path = root / META / "metadata.csv"
    rows = list(csv.reader(path.open(newline="", encoding="utf-8")))
    change(rows)
    with path.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows(rows)


def read(root: Path, mode: str = "image"):
    return read_train(root) if mode == "train" else read_test(root, "test_s", mode)


def complaint(root: Path, mode: str = "image") -> str:
    with pytest.raises(BadData) as caught:
        validated(read(root, mode))
    return str(caught.value)


@pytest.mark.parametrize("mode", ["train", "image", "video"])
def test_the_golden_benchmark_is_fine(mode):
    benchmark = validated(read(BENCHMARK, mode))
    assert not benchmark.problems
    assert len(benchmark.requests()) == {"train": 23, "image": 31, "video": 100}[mode]


@pytest.mark.parametrize("row", golden_json("06_generation.json")["samples"], ids=lambda row: row["mask_path"])
def test_order_of_evaluation(row):
    benchmark = read(BENCHMARK, row["eval_mode"])
    sample_index, candidate_index = benchmark.requests()[row["dataset_index"]]
    sample = benchmark.samples[sample_index]
    candidate = sample.candidates[candidate_index]
    assert (sample.uid, sample.frame_idx, candidate.audit.mask_type) == (row["uid"], row["frame_idx"], row["mask_type"])
    assert candidate.mask_name == row["mask_path"]
    assert sample.frame_path == BENCHMARK.absolute() / row["image_path"]


def test_fields_of_a_training_sample():
    sample = read_train(BENCHMARK).samples[0]
    assert (sample.uid, sample.vid, sample.frame_idx) == ("vA1-x_y_0_1", "vA1-x_y", 1)
    assert sample.expression == "The Dog's bark on the left, near the Sofa"
    assert sample.frame_path.name == "4.jpg"
    assert [path.name for path in sample.video_paths] == [f"{t}.jpg" for t in range(10)]
    assert "<iou_token>" in sample.candidates[1].response


def test_filters():
    assert {
        c.audit.mask_type for s in read_test(BENCHMARK, "test_s", "image", "Full_Neg").samples for c in s.candidates
    } == {"full_neg"}
    ranked = [c for s in read_test(BENCHMARK, "test_s", "image", "all", 1).samples for c in s.candidates]
    assert {c.rank for c in ranked if c.audit.mask_type != "perfect"} == {1}
    assert "perfect" in {c.audit.mask_type for c in ranked}
    with pytest.raises(ValueError, match="mask type filter: expected all or one of .*, got 'banana'"):
        read_test(BENCHMARK, "test_s", "image", "banana")


def test_other_splits_are_passed_over_and_counted():
    benchmark = read(BENCHMARK, "image")
    assert benchmark.passed_over == {"metadata.csv puts it in split 'test_u'": 1}
    assert {sample.uid for sample in benchmark.samples} == {"tC3_0_2", "tD4_1_0"}


def test_null_uids_take_their_sound_from_media_cross(benchmark):
    def rename(rows):
        rows[3][1], rows[3][0] = "null_tC3_0_2", "null_tC3"

    edit_csv(benchmark, rename)
    edit(benchmark, IMAGE, lambda entries: entries[0].update(uid="null_tC3_0_2"))
    sample = next(s for s in read(benchmark).samples if s.uid.startswith("null_"))
    assert sample.audio_path == benchmark.absolute() / "media_cross/null_tC3/audio.wav"
    assert sample.video_paths[0] == benchmark.absolute() / "media/null_tC3/frames/0.jpg"


def test_a_header_row_is_optional(benchmark):
    edit_csv(benchmark, lambda rows: rows.pop(0))
    assert len(read(benchmark).samples) == 2


# --- what can be wrong -------------------------------------------------------------------------------------------


def test_missing_frame(benchmark):
    (benchmark / "media/tC3/frames/3.jpg").unlink()
    assert "tC3_0_2: " in complaint(benchmark) and "media/tC3/frames/3.jpg: no such frame file" in complaint(benchmark)


def test_missing_audio(benchmark):
    (benchmark / "media/tC3/audio.wav").unlink()
    assert "tC3_0_2: audio" in complaint(benchmark) and "media/tC3/audio.wav" in complaint(benchmark)


def test_missing_mask(benchmark):
    (benchmark / "masks/test_s/tC3_0_2/erode_2.png").unlink()
    assert "masks/test_s/tC3_0_2/erode_2.png: no such mask file" in complaint(benchmark)


@pytest.mark.parametrize("name", ["media/tC3/frames/0.jpg", "masks/test_s/tC3_0_2/gt.png", "media/tC3/audio.wav"])
@pytest.mark.parametrize("content", [b"", b"not what it should be"])
def test_unreadable_file(benchmark, name, content):
    (benchmark / name).write_bytes(content)
    text = complaint(benchmark)
    assert f"{name}" in text and "expected" in text and "1 problem in the data" in text


def test_audio_too_short(benchmark):
    soundfile.write(benchmark / "media/tC3/audio.wav", np.zeros(16000, np.float32), 16000)
    assert "media/tC3/audio.wav" in complaint(benchmark)


def test_empty_mask_of_another_type(benchmark):
    Image.new("L", (128, 96)).save(benchmark / "masks/test_s/tC3_0_2/erode_1.png")
    assert "erode_1.png: expected foreground in a mask of type erode, got an empty mask" in complaint(benchmark)


@pytest.mark.parametrize("value", [1.5, -0.1, "0.5", float("nan")])
def test_iou_outside_its_range(benchmark, value):
    edit(benchmark, IMAGE, lambda e: e[0]["part_neg_masks"]["cutout"][0].update(iou_to_gt=value))
    assert f"cutout_1.png: iou_to_gt: expected a number from 0 to 1, got {value!r}" in complaint(benchmark)


@pytest.mark.parametrize("rank", ["1", "hard", 1.5, True, [1]])
def test_a_rank_that_is_no_number(benchmark, rank):
    edit(benchmark, IMAGE, lambda e: e[0]["part_neg_masks"]["cutout"][0].update(rank=rank))
    assert f"cutout_1.png: rank: expected a whole number, got {rank!r}" in complaint(benchmark)


def test_a_response_with_a_placeholder(benchmark):
    edit(benchmark, TRAIN, lambda e: e["vA1-x_y_0_1"]["gt_mask_path"].update(response="<audit> <video> </audit>"))
    assert "response: expected words and tags of answers, got <video>" in complaint(benchmark, "train")


@pytest.mark.parametrize("change", [lambda text: "\ufeff" + text, lambda text: text.replace("\n", "\r\n")])
def test_a_byte_order_mark_and_line_ends_of_windows_are_fine(benchmark, change):
    for name in (IMAGE, f"{META}/metadata.csv"):
        (benchmark / name).write_text(change((benchmark / name).read_text("utf-8")), "utf-8", newline="")
    assert not read(benchmark).problems and len(read(benchmark).samples) == 2


def test_a_key_twice_within_a_mask(benchmark):
    text = (benchmark / IMAGE).read_text()
    (benchmark / IMAGE).write_text(text.replace('"iou_to_gt":', '"iou_to_gt": 0.5, "iou_to_gt":', 1))
    with pytest.raises(ValueError, match="test_s_image_filtered.json: expected JSON.*'iou_to_gt' is given twice"):
        read(benchmark)


def test_unknown_type(benchmark):
    edit(benchmark, IMAGE, lambda e: e[0]["part_neg_masks"].update(banana=e[0]["part_neg_masks"].pop("cutout")))
    assert "mask type: expected one of" in complaint(benchmark) and "got 'banana'" in complaint(benchmark)


def test_unknown_action(benchmark):
    edit(benchmark, IMAGE, lambda e: e[0]["part_neg_masks"]["cutout"][0].update(action="do nothing"))
    assert "cutout_1.png: action: expected one of accept" in complaint(benchmark)


@pytest.mark.parametrize("path", ["../outside.png", "/etc/hostname", "masks/../../x.png"])
def test_path_that_leaves_the_root(benchmark, path):
    edit(benchmark, IMAGE, lambda e: e[0]["part_neg_masks"]["cutout"][0].update(mask_path=path))
    assert f"{path}: expected a path inside" in complaint(benchmark)


def test_vid_that_leaves_the_root(benchmark):
    edit_csv(benchmark, lambda rows: rows[3].__setitem__(0, "../../elsewhere"))
    assert "elsewhere: expected a path inside" in complaint(benchmark)


def test_duplicate_uid_in_a_list(benchmark):
    edit(benchmark, IMAGE, lambda e: e.append(e[0]))
    assert "tC3_0_2: test_s_image_filtered.json: expected each uid once, got it twice" in complaint(benchmark)


def test_duplicate_uid_in_an_object(benchmark):
    text = (benchmark / VIDEO).read_text().rstrip().removesuffix("}")
    (benchmark / VIDEO).write_text(text + ', "tC3_0_2": {"uid": "tC3_0_2", "frames": []}}')
    assert "tC3_0_2: test_s_video_filtered.json: expected each uid once, got it twice" in complaint(benchmark, "video")


def test_duplicate_uid_in_the_csv(benchmark):
    edit_csv(benchmark, lambda rows: rows.append(rows[3]))
    assert "tC3_0_2: metadata.csv line 7: expected each uid once, got it twice" in complaint(benchmark)


def test_uid_that_the_csv_does_not_know(benchmark):
    edit(benchmark, IMAGE, lambda e: e[0].update(uid="zZ_0_0"))
    assert "zZ_0_0: test_s_image_filtered.json: metadata.csv does not know this uid" in complaint(benchmark)


@pytest.mark.parametrize("kfid", ["first", "10", "-1", "3.0", "1" * 5000])
def test_bad_key_frame(benchmark, kfid):
    edit_csv(benchmark, lambda rows: rows[2].__setitem__(5, kfid))
    expected = "vB2_1_3: metadata.csv line 3: kfid: expected a frame number from 0 to 9, got "
    assert expected + (kfid if kfid == "10" else repr(kfid)) in complaint(benchmark, "train")


@pytest.mark.parametrize("split", ["train", "test_s", "val"])
def test_a_short_csv_row_of_any_split(benchmark, split):
    edit_csv(benchmark, lambda rows: rows.append(["x", "x_0_0", split, "1"]))
    with pytest.raises(ValueError, match="metadata.csv line 7: expected 6 cells, one for each column, got 4"):
        read(benchmark)


def test_reserved_words_in_an_expression(benchmark):
    edit_csv(benchmark, lambda rows: rows[3].__setitem__(4, "the <MASK> man"))
    assert "tC3_0_2: expression: expected plain words, got the reserved <mask>" in complaint(benchmark)


def test_all_problems_come_in_one_list(benchmark):
    (benchmark / "media/tC3/frames/3.jpg").unlink()
    (benchmark / "masks/test_s/tD4_1_0/gt.png").unlink()
    edit(benchmark, IMAGE, lambda e: e[1]["part_neg_masks"]["cutout"][0].update(iou_to_gt=2))
    assert "3 problems in the data" in complaint(benchmark)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda root: (root / META / "metadata.csv").unlink(), "metadata.csv: no such file"),
        (
            lambda root: (root / META / "metadata.csv").write_bytes(b"vid,\xe9"),
            "metadata.csv line 1: expected UTF-8 text, got the byte 0xe9",
        ),
        (lambda root: (root / META / "metadata.csv").write_text('"' + "x" * 200_000), "line 1: expected comma-"),
        (lambda root: (root / IMAGE).unlink(), "test_s_image_filtered.json: no such file"),
        (lambda root: (root / IMAGE).write_text("{"), "test_s_image_filtered.json: expected JSON"),
        (lambda root: (root / IMAGE).write_text("[" * 100_000), "test_s_image_filtered.json: expected JSON"),
        (lambda root: (root / IMAGE).write_text('[{"a": ' + "[" * 5000 + "]" * 5000 + "}]"), "expected JSON"),
        (lambda root: (root / IMAGE).write_text("[1]"), "entry 0: expected an object with a uid"),
        (shutil.rmtree, "no such folder"),
    ],
)
def test_files_that_cannot_be_read_at_all(benchmark, damage, sentence):
    damage(benchmark)
    with pytest.raises((OSError, ValueError), match=sentence):
        read(benchmark)


def test_skipping_goes_on_without_the_bad(benchmark):
    (benchmark / "media/tD4/audio.wav").unlink()
    (benchmark / "masks/test_s/tC3_0_2/erode_2.png").unlink()
    good = validated(read(benchmark), on_bad_sample="skip")
    assert len(good.problems) == 2
    assert {sample.uid for sample in good.samples} == {"tC3_0_2"}
    assert len(good.requests()) == 19


def test_nothing_left_is_an_error(benchmark):
    edit_csv(benchmark, lambda rows: rows.__delitem__(slice(3, None)))
    edit(benchmark, IMAGE, lambda e: [])
    with pytest.raises(BadData, match="expected at least one sample to use, got none"):
        validated(read(benchmark), "skip")


def test_the_first_masks_of_another_size_are_named_in_the_order_of_the_benchmark(benchmark, caplog, monkeypatch):
    pairs = [(s.frame_path, c.mask_path) for s in read(benchmark).samples for c in s.candidates]
    wrong = [mask for frame, mask in pairs if Image.open(mask).size != Image.open(frame).size]

    def read_late(path):
        if path == wrong[0]:
            time.sleep(0.3)  # meanwhile other threads read the rest
        return usable_mask(path)

    monkeypatch.setattr(validation, "usable_mask", read_late)
    validated(read(benchmark))
    said = [text for text in caplog.messages if text.endswith("it is resized")]
    # the first place in the list is that of a sound
    assert [Path(text.partition(":")[0]) for text in said] == wrong[: MOST_LISTED - 1] and len(wrong) >= MOST_LISTED
    assert said[0].endswith("expected the size of its frame, 120x90, got 63x46; it is resized")


# --- what may look wrong but is not ------------------------------------------------------------------------------


def test_video_frames_may_leave_out_their_image_path(benchmark):
    edit(benchmark, VIDEO, lambda e: [frame.pop("image_path") for frame in e["tC3_0_2"]["frames"]] and None)
    samples = [s for s in read(benchmark, "video").samples if s.uid == "tC3_0_2"]
    assert [s.frame_path.name for s in samples] == [f"{t}.jpg" for t in range(10)]


def test_rank_filter_drops_masks_of_unknown_rank(benchmark):
    edit(benchmark, IMAGE, lambda e: [mask.pop("rank") for mask in e[0]["part_neg_masks"]["cutout"]] and None)
    assert len(read_test(benchmark, "test_s", "image", "cutout", 1).requests()) == 1


def test_blank_rows_do_not_matter(benchmark):
    edit_csv(benchmark, lambda rows: rows.extend([["  "], [], [""] * 6]))
    assert not read(benchmark).problems


def test_columns_are_taken_by_their_names(benchmark):
    edit_csv(benchmark, lambda rows: [row.__setitem__(slice(None), [*row[::-1], "more"]) for row in rows])
    assert not read(benchmark).problems and len(read(benchmark).samples) == 2


def test_what_the_filters_leave_out_is_not_looked_at(benchmark):
    edit(benchmark, IMAGE, lambda e: e[0]["part_neg_masks"]["cutout"][0].update(iou_to_gt=7))
    assert not read_test(benchmark, "test_s", "image", "merge").problems
    assert read_test(benchmark, "test_s", "image", "cutout").problems


def test_a_root_behind_a_link(benchmark, tmp_path):
    (tmp_path / "link").symlink_to(benchmark)
    real = str(benchmark.resolve() / "masks/test_s/tC3_0_2/gt.png")
    edit(benchmark, IMAGE, lambda e: e[0].update(gt_mask_path=real))
    assert not read(tmp_path / "link").problems


def test_a_uid_without_masks_is_counted(benchmark):
    edit(benchmark, TRAIN, lambda e: e.update({"vB2_1_3": {}}))
    train = read(benchmark, "train")
    assert train.passed_over == {"without any mask of this run": 1} and len(train.samples) == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"part_neg_masks": [1]}, "part_neg_masks: expected an object, got '[1]'"),
        ({"full_neg_masks": {"mask_path": "x"}}, "full_neg_masks: expected a list, got"),
        ({"image_path": 3}, "path: expected text, got 3"),
        ({"gt_mask_path": 3}, "perfect: expected an object with a mask_path, got '3'"),
        ({"gt_mask_path": {"mask_path": 3}}, "perfect: expected an object with a mask_path"),
        ({"null_masks": [{"mask_path": "x.png", "action": 3}]}, "x.png: action: expected text, got 3"),
    ],
)
def test_entries_of_another_shape(benchmark, change, sentence):
    edit(benchmark, IMAGE, lambda e: e[0].update(change))
    assert sentence in complaint(benchmark)
