"""From a dataset with ground-truth masks to a benchmark on disk: what it holds, and that nothing can tear it."""

import csv
import json
import multiprocessing
import random
import shutil
import threading
import time
from dataclasses import replace

import cv2
import numpy as np
import pytest
from tqdm import tqdm

from configs.construction import BuildArguments
from dataset.benchmark.annotations import read_test, read_train
from dataset.benchmark.validation import BadData, validated
from dataset.construction.plan import key_frame
from dataset.construction.source import SourceWriter
from dataset.media.images import read_mask
from dataset.verification.benchmark import verify_benchmark
from scripts.benchmark.build import build, main
from tests.scenes import moving_discs, referrals_of, write_source
from utils.audit import parse_audit


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return write_source(tmp_path_factory.mktemp("source"))


def arguments(source, output, **settings):
    return BuildArguments(source_dir=str(source), output_dir=str(output), **{"num_workers": 1} | settings)


@pytest.fixture(scope="module")
def built(source, tmp_path_factory):
    root = tmp_path_factory.mktemp("built") / "MQ-RAVSBench"
    build(arguments(source, root))
    return root


def content(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def report_of(root):
    return json.loads((root / "build_report.json").read_text())


def all_samples(root):
    return [
        *read_train(root).samples,
        *(
            s
            for split in ("test_s", "test_u")
            for mode in ("image", "video")
            for s in read_test(root, split, mode).samples
        ),
    ]


def test_the_reader_finds_what_was_written(built):
    train, image, video = read_train(built), read_test(built, "test_s", "image"), read_test(built, "test_u", "video")
    assert not train.problems + image.problems + video.problems
    assert validated(train) and validated(image) and validated(video)
    assert len({s.uid for s in train.samples}) == 2 and len(train.samples[0].candidates) == 11
    assert len(image.samples) == 4 and len({s.vid for s in image.samples}) == 2
    assert len(video.samples) == 20 and len({s.uid for s in video.samples}) == 2


def test_masks_are_what_they_are_called(built):
    for sample in all_samples(built):
        gt = read_mask(sample.candidates[0].mask_path)
        assert sample.candidates[0].audit.mask_type == "perfect"
        for candidate in sample.candidates:
            mask = read_mask(candidate.mask_path)
            assert (gt & mask).sum() / (gt | mask).sum() == pytest.approx(candidate.audit.iou, abs=1e-6)
            said = parse_audit(candidate.response)
            assert (said.mask_type, said.action) == (candidate.audit.mask_type, candidate.audit.action)
            assert said.iou == pytest.approx(candidate.audit.iou, abs=5.1e-5)


def test_ground_truth_and_media_are_the_sources(built, source):
    for sample in all_samples(built):
        fid = int(next(row["fid"] for row in rows(built) if row["uid"] == sample.uid))
        frame = int(sample.frame_path.stem)
        gt = read_mask(source / "gt_mask" / sample.vid / f"fid_{fid}" / f"{frame:05d}.png")
        assert np.array_equal(read_mask(sample.candidates[0].mask_path), gt)
        for path in (*sample.video_paths, sample.audio_path):
            assert path.read_bytes() == (source / path.relative_to(built)).read_bytes()


def rows(root):
    with (root / "train_test_meta_files/metadata.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_layout_is_the_published_one(built):
    assert {path.name for path in (built / "train_test_meta_files").iterdir()} == {
        "metadata.csv",
        "train_audit_only_filtered.json",
        "test_s_image_filtered.json",
        "test_u_image_filtered.json",
        "test_s_video_filtered.json",
        "test_u_video_filtered.json",
    }
    assert list(rows(built)[0]) == ["vid", "uid", "split", "fid", "exp", "kfid"]
    assert not (built / ".building").exists()


def test_every_row_of_the_source_is_accounted_for(built, source):
    with (source / "metadata.csv").open(newline="") as file:
        wanted = sorted(row["uid"] for row in csv.DictReader(file))
    named = [uid for uids in report_of(built)["left_out"].values() for uid in uids]
    assert sorted(named + [row["uid"] for row in rows(built)]) == wanted
    assert any("split 'val'" in reason for reason in report_of(built)["left_out"])
    assert any("null reference" in reason for reason in report_of(built)["left_out"])


def test_all_frames_of_a_video_share_their_mask_types(built):
    kinds = {}
    for sample in read_test(built, "test_s", "video").samples:
        types = frozenset(
            (c.audit.mask_type, c.rank if c.audit.mask_type not in ("merge", "full_neg") else 0)
            for c in sample.candidates
        )
        kinds.setdefault(sample.uid, set()).add(types)
    assert all(len(different) == 1 for different in kinds.values())


def test_a_type_that_one_frame_cannot_have_leaves_the_whole_video(source, tmp_path):
    """The only other object leaves the frame in the end; in the first frame the target is too small for a cutout."""
    writer, vid = SourceWriter(tmp_path / "source"), "video_0_10000"
    video = moving_discs(vid, 0, num_objects=2)
    for t in (8, 9):
        video.objects[1][t][:] = False
    video.objects[0][0][:] = False
    video.objects[0][0][50, 50:57] = True
    writer.write_video(video)
    writer.write_metadata(referrals_of(vid, "test_s", num_objects=1))
    build(arguments(tmp_path / "source", tmp_path / "out"))
    samples = read_test(tmp_path / "out", "test_s", "video").samples
    assert len(samples) == 10
    assert {c.audit.mask_type for s in samples for c in s.candidates} == {"perfect", "dilate", "erode"}
    said = {
        (m["mask_type"], m["rank"]): m["reason"]
        for m in report_of(tmp_path / "out")["masks_not_made"]
        if m["frame"] is None
    }
    assert "frames 8, 9 cannot have it" in said["full_neg", None] and "frames 8, 9" in said["merge", None]
    assert "frames 0 cannot have it" in said["cutout", 1]


def test_processes_do_not_change_the_bytes(built, source, tmp_path):
    build(arguments(source, tmp_path / "out", num_workers=2))
    assert content(tmp_path / "out") == content(built)


def test_another_seed_gives_other_masks(built, source, tmp_path):
    build(arguments(source, tmp_path / "out", seed=1))
    assert content(tmp_path / "out") != content(built)


def _build_apart(args):
    """A build whose progress bars have a lock of their own: a killed process never gives a shared one back."""
    tqdm.set_lock(threading.RLock())
    build(args)


def test_a_build_that_was_killed_ends_in_the_same_bytes(built, source, tmp_path):
    """Killed at twenty moments of its work, each time started again in the same folder."""
    fork = multiprocessing.get_context("fork")
    args, chance, kills = arguments(source, tmp_path / "out"), random.Random(0), 0
    start = time.perf_counter()
    build(replace(args, output_dir=str(tmp_path / "timed")))
    whole = time.perf_counter() - start
    for _ in range(20):
        process = fork.Process(target=_build_apart, args=(args,))
        process.start()
        process.join(chance.uniform(0.02, 0.9) * whole)
        kills += process.is_alive()
        process.kill()
        process.join()
        if (tmp_path / "out/build_report.json").exists():  # it was faster than the axe: begin again
            build(args)  # tidies up, where the axe fell on that
            assert content(tmp_path / "out") == content(built)
            shutil.rmtree(tmp_path / "out")
    build(args)
    assert content(tmp_path / "out") == content(built)
    assert kills >= 10


def test_what_is_done_is_not_done_again(source, tmp_path, monkeypatch):
    out, calls = tmp_path / "out", []
    monkeypatch.setattr("scripts.benchmark.build.write_splits", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        build(arguments(source, out))
    monkeypatch.undo()
    monkeypatch.setattr("dataset.construction.build.make_candidates", lambda *_: calls.append(1))
    build(arguments(source, out))
    assert not calls and (out / "build_report.json").is_file()


def test_a_finished_build_is_left_alone(built, source, capsys):
    before = {path: path.stat().st_mtime_ns for path in built.rglob("*")}
    build(arguments(source, built, num_workers=2))
    assert {path: path.stat().st_mtime_ns for path in built.rglob("*")} == before
    assert "test_s video: 2 referrals" in capsys.readouterr().out


def test_two_builds_in_one_folder(source, tmp_path, monkeypatch):
    """The second one is refused and leaves the first one's work alone."""

    def meanwhile(*_):
        with pytest.raises(ValueError, match="expected no other build at the same time"):
            build(arguments(source, tmp_path / "out"))
        raise KeyboardInterrupt

    monkeypatch.setattr("scripts.benchmark.build.write_splits", meanwhile)
    with pytest.raises(KeyboardInterrupt):
        build(arguments(source, tmp_path / "out"))
    monkeypatch.undo()
    build(arguments(source, tmp_path / "out"))
    assert (tmp_path / "out/build_report.json").is_file() and not (tmp_path / "out/.building").exists()


def test_a_folder_with_something_else_is_refused(built, source, tmp_path):
    with pytest.raises(ValueError, match="a benchmark that was built otherwise: seed 0, now 3"):
        build(arguments(source, built, seed=3))
    (tmp_path / "diary.txt").write_text("mine")
    with pytest.raises(ValueError, match="expected an empty or new folder"):
        build(arguments(source, tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["diary.txt"]


def test_broken_files_are_named_before_anything_is_built(source, tmp_path):
    broken = shutil.copytree(source, tmp_path / "source")
    (broken / "media/video0_0_10000/frames/3.jpg").unlink()
    mask = broken / "gt_mask/video3_0_10000/fid_1/00002.png"
    cv2.imwrite(str(mask), np.zeros((10, 10), np.uint8))
    with pytest.raises(BadData) as caught:
        build(arguments(broken, tmp_path / "out"))
    assert "3.jpg: no such frame file" in str(caught.value)
    assert "expected the size of its frame, 128x96, got 10x10" in str(caught.value)
    assert "--on_bad_sample skip" in str(caught.value)
    build(arguments(broken, tmp_path / "skipped", on_bad_sample="skip"))
    assert {row["vid"] for row in rows(tmp_path / "skipped")} == {f"video{i}_0_10000" for i in (1, 2, 4, 5)}
    assert len(report_of(tmp_path / "skipped")["left_out"]["a file of its video cannot be used"]) == 12


def test_wrong_input_ends_in_one_sentence(tmp_path, capsys):
    assert main(["--source_dir", str(tmp_path / "none"), "--output_dir", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    with pytest.raises(SystemExit) as ended:
        main(["--negatives", "models"])
    assert ended.value.code == 2 and "--namer_path: expected a path" in capsys.readouterr().err


def test_key_frame_has_most_objects_of_those_that_show_the_target():
    assert key_frame([1, 5, 3, 3, 2, 2, 2, 2, 2, 2], [9, 0, 4, 8, 1, 1, 1, 1, 1, 1]) == 3
    assert key_frame([2] * 10, [5, 7, 7, 1, 1, 1, 1, 1, 1, 1]) == 1


def test_an_expression_whose_target_is_never_seen_is_replaced(source, tmp_path):
    """A video with another object to ask about stays in the benchmark."""
    hidden = shutil.copytree(source, tmp_path / "source")
    build(arguments(source, tmp_path / "before"))
    (uid,) = (row["uid"] for row in rows(tmp_path / "before") if row["vid"] == "video0_0_10000")
    fid = {"dog": 0, "cat": 1, "car": 2}[uid.rsplit("_", 2)[1]]
    for path in (hidden / f"gt_mask/video0_0_10000/fid_{fid}").iterdir():
        path.unlink()
        cv2.imwrite(str(path), np.zeros((96, 128), np.uint8))
    build(arguments(hidden, tmp_path / "after"))
    (other,) = (row["uid"] for row in rows(tmp_path / "after") if row["vid"] == "video0_0_10000")
    assert other.rsplit("_", 2)[1] != uid.rsplit("_", 2)[1]
    assert uid in report_of(tmp_path / "after")["left_out"]["the target is in none of the ten frames"]


def test_a_video_with_broken_files_is_replaced(source, tmp_path):
    build(arguments(source, tmp_path / "before", num_train_videos=1))
    (vid,) = {row["vid"] for row in rows(tmp_path / "before") if row["split"] == "train"}
    broken = shutil.copytree(source, tmp_path / "source")
    (broken / f"media/{vid}/frames/3.jpg").unlink()
    build(arguments(broken, tmp_path / "after", num_train_videos=1, on_bad_sample="skip"))
    assert [row["vid"] for row in rows(tmp_path / "after") if row["split"] == "train"] == [
        {"video0_0_10000": "video1_0_10000", "video1_0_10000": "video0_0_10000"}[vid]
    ]


def test_a_line_break_in_an_expression_is_a_quote_that_stays_open(source, tmp_path):
    broken = shutil.copytree(source, tmp_path / "source")
    table = broken / "metadata.csv"
    table.write_text(table.read_text().replace("the sounding cat", '"the sounding\ncat"', 1))
    with pytest.raises(ValueError, match=r"metadata.csv line \d+: expected a quote that is closed on its line"):
        build(arguments(broken, tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_rows_at_fault_stop_the_build_or_are_left_out(source, tmp_path):
    broken = shutil.copytree(source, tmp_path / "source")
    table = broken / "metadata.csv"
    table.write_text(table.read_text().replace("the cat", "the </s> cat"))
    with pytest.raises(
        BadData, match=r"6 problems in the data:\n.*: metadata.csv line \d+: expression: expected plain words"
    ):
        build(arguments(broken, tmp_path / "out"))
    build(arguments(broken, tmp_path / "out", on_bad_sample="skip"))
    assert not verify_benchmark(tmp_path / "out", 1).findings
    reason = "expression: expected plain words, got the reserved </s>"
    assert len(report_of(tmp_path / "out")["left_out"][reason]) == 6


def test_a_doubtful_expression_is_told_and_taken(source, tmp_path, caplog):
    broken = shutil.copytree(source, tmp_path / "source")
    table = broken / "metadata.csv"
    table.write_text(table.read_text().replace("the cat", "the\x1bcat"))
    build(arguments(broken, tmp_path / "out"))
    assert "expression: expected plain text, got the control character U+001B" in caplog.text


def test_a_file_of_negatives_is_read_whole_before_a_build_begins(source, tmp_path):
    file, out = tmp_path / "negatives.jsonl", tmp_path / "out"
    lines = [{"uid": "x_dog_1", "frame": 0, "objects": [{"name": "cat", "mask_path": "cat.png"}]}]
    file.write_text(json.dumps(lines[0]))
    with pytest.raises(ValueError, match="line 1: 'cat': .*no such mask file"):
        build(arguments(source, out, negatives="file", negatives_file=str(file)))
    assert not out.exists()
    cv2.imwrite(str(tmp_path / "cat.png"), np.full((4, 4), 255, np.uint8))
    build(arguments(source, out, negatives="file", negatives_file=str(file)))
    assert report_of(out)["negatives"] == {"in the file, but not of this benchmark": ["line 1: x_dog_1 frame 0"]}
    file.write_text(json.dumps(lines[0] | {"uid": rows(out)[0]["uid"], "frame": int(rows(out)[0]["kfid"])}))
    with pytest.raises(ValueError, match=r"frame \d: mask of 'cat': expected the ground truth's size \(96, 128\)"):
        build(arguments(source, tmp_path / "other", negatives="file", negatives_file=str(file)))


@pytest.mark.parametrize("content", ["[1]", "{", '{"run": 3}'])
def test_a_report_that_says_nothing_of_its_build(tmp_path, source, content):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/build_report.json").write_text(content)
    with pytest.raises(ValueError, match="build_report.json: expected the settings of an earlier build"):
        build(arguments(source, tmp_path / "out"))


def test_given_key_frames(source, tmp_path):
    given = shutil.copytree(source, tmp_path / "source")
    writer = SourceWriter(given)
    writer.write_metadata(
        replace(r, kfid=i + 2)
        for i in range(6)
        for r in referrals_of(f"video{i}_0_10000", ["train", "test_s", "test_u"][i // 2])
    )
    build(arguments(given, tmp_path / "out", key_frame="given"))
    assert {(row["vid"], row["kfid"]) for row in rows(tmp_path / "out")} == {
        (f"video{i}_0_10000", str(i + 2)) for i in range(6)
    }
    with pytest.raises(ValueError, match=r"expected a key frame in metadata.csv \(column kfid\), got none"):
        build(arguments(source, tmp_path / "other", key_frame="given"))
