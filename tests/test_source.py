"""A segmentation dataset in the layout of Ref-AVSBench: written, read back, and one sentence for what is wrong."""

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from dataset.construction.referrals import Referral, is_plain_name, read_referrals, write_metadata
from dataset.construction.source import RefAVSBench, SourceVideo, SourceWriter

REAL_METADATA = Path(__file__).parents[2] / "shared" / "real_media" / "ref_avsbench_metadata.csv"
REFERRALS = [
    Referral("clip_a", "clip_a_cat_1", "train", 0, 'the cat, "the white one"'),
    Referral("clip_a", "clip_a_hair-dryer_1", "train", 3, "the loudest thing"),
    Referral("clip_b", "clip_b_dog_1", "test_s", 0, "the barking dog", 4),
]


def masks(seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.random((24, 32)) < 0.3 for _ in range(10)]


@pytest.fixture
def root(tmp_path) -> Path:
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 256, (24, 32, 3), dtype=np.uint8) for _ in range(10)]
    writer = SourceWriter(tmp_path / "source")
    tone = 0.5 * np.sin(np.arange(160_000) / 20)
    writer.write_video(SourceVideo("clip_a", frames, {0: masks(1), 3: masks(2)}, tone))
    writer.write_video(SourceVideo.of_still("clip_b", frames[0], {0: masks(3)[0]}))
    writer.write_metadata(REFERRALS)
    return writer.root


def metadata(tmp_path, *rows: str) -> Path:
    path = tmp_path / "metadata.csv"
    rows = [row + "," * (5 - row.count(",")) for row in rows]  # an empty kfid
    path.write_text("\n".join(("vid,uid,split,fid,exp,kfid", *rows)) + "\n", encoding="utf-8")
    return path


def test_what_is_written_is_read(root):
    source = RefAVSBench(root)
    assert source.referrals == REFERRALS
    assert not source.left_out
    assert source.object_names("clip_a") == {0: "cat", 3: "hair-dryer"}
    for frame in range(10):
        read = source.read_masks("clip_a", frame)
        assert np.array_equal(read[0], masks(1)[frame])
        assert np.array_equal(read[3], masks(2)[frame])
    tone, rate = soundfile.read(source.audio_path("clip_a"))
    assert rate == 16_000 and np.abs(tone - 0.5 * np.sin(np.arange(160_000) / 20)).max() < 1e-4
    silence, _ = soundfile.read(source.audio_path("clip_b"), dtype="int16")
    assert len(silence) == 160_000 and not silence.any()
    assert source.problems(source.referrals) == []


def test_writing_again_gives_the_same_bytes_and_leaves_nothing_else(root):
    def content() -> dict:
        return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}

    before, names = content(), {path.name for path in root.rglob("*")}
    source = RefAVSBench(root)
    frame = np.asarray(Image.open(source.frame_path("clip_b", 0)))
    SourceWriter(root).write_video(SourceVideo.of_still("clip_b", frame, source.read_masks("clip_b", 0)))
    assert content().keys() == before.keys()
    assert {path.name for path in root.rglob("*")} == names
    assert before[source.mask_path("clip_b", 0, 7)] == content()[source.mask_path("clip_b", 0, 7)]


def test_equal_frames_take_the_space_of_one(root):
    source = RefAVSBench(root)
    assert len({source.frame_path("clip_b", t).stat().st_ino for t in range(10)}) == 1
    assert len({source.frame_path("clip_a", t).stat().st_ino for t in range(10)}) == 10


def test_a_jpeg_is_taken_over_as_it_is_and_others_are_turned_upright(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    plain, turned = tmp_path / "plain.jpg", tmp_path / "turned.jpg"
    Image.fromarray(pixels).save(plain, quality=70)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    Image.fromarray(pixels).save(turned, exif=exif)
    writer = SourceWriter(tmp_path / "source")
    writer.write_video(SourceVideo.of_still("plain", plain, {0: np.ones((24, 32), bool)}))
    writer.write_video(SourceVideo.of_still("turned", turned, {0: np.ones((32, 24), bool)}))
    assert writer.frame_path("plain", 9).read_bytes() == plain.read_bytes()
    with Image.open(writer.frame_path("turned", 0)) as image:
        assert image.size == (24, 32) and not image.getexif()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"vid": "../outside"}, "expected a plain folder name, got '../outside'"),
        ({"frames": [np.zeros((24, 32, 3), np.uint8)] * 9}, "expected 10 frames, got 9"),
        ({"frames": [np.zeros((24, 32), np.uint8)] * 10}, r"expected a frame as \(H, W, 3\) uint8, got \(24, 32\)"),
        ({"objects": {2: [np.zeros((24, 32), bool)] * 3}}, "object 2: expected 10 masks, got 3"),
        ({"objects": {2: [np.zeros((24, 31), bool)] * 10}}, r"frame's size \(24, 32\), got bool of size \(24, 31\)"),
        ({"objects": {2: [np.zeros((24, 32), np.uint8)] * 10}}, "expected a mask of type bool .* got uint8"),
    ],
)
def test_a_video_that_does_not_fit_is_not_written(tmp_path, change, complaint):
    parts = {"vid": "clip", "frames": [np.zeros((24, 32, 3), np.uint8)] * 10, "objects": {0: masks(0)}}
    with pytest.raises(ValueError, match=complaint):
        SourceWriter(tmp_path / "source").write_video(SourceVideo(**parts | change))
    assert not list(tmp_path.rglob("*.png"))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("v,v_cat_1,val,0,the cat", "split 'val', expected one of train, test_s, test_u"),
        ("v,v_cat_1,TODO,0,the cat", "split 'TODO', expected one of train, test_s, test_u"),
        ("v,null_v_null_1,train,0,the cat", "null reference: no object in the video, so no ground truth"),
        ("w,v_cat_1,train,0,the cat", "uid is not <vid>_<object>_<number>"),
        ("v,v,test_s,0,the cat", "uid is not <vid>_<object>_<number>"),
        ("../v,../v_cat_1,train,0,the cat", "vid or uid is not a plain folder name"),
        ("..,.._cat_1,train,0,the cat", "vid or uid is not a plain folder name"),
        (f"{'v' * 250},{'v' * 250}_cat_1,train,0,the cat", "vid or uid is not a plain folder name"),
        ("v,v_cat_1,train,first,the cat", "fid: expected the number of an object, got 'first'"),
        ("v,v_cat_1,train,-1,the cat", "fid: expected the number of an object, got '-1'"),
        ("v,v_cat_1,train,0,the cat,10", "kfid: expected a frame number from 0 to 9, got 10"),
        ("v,v_cat_1,train,0, ", "expression: expected words, got none"),
        ("v,v_cat_1,train,0,the <mask_start> cat", "expression: expected plain words, got the reserved <mask_start>"),
        ("v,v_<action> cat_1,train,0,the cat", "object name: expected plain words, got the reserved <action>"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(tmp_path, row, reason):
    read = read_referrals(metadata(tmp_path, row, "u,u_dog_1,train,2,the dog"))
    assert read.left_out == {reason: [row.split(",")[1]]}
    assert read.referrals == [Referral("u", "u_dog_1", "train", 2, "the dog")]


def test_repeated_uids_and_names_of_shared_objects(tmp_path):
    rows = ["v,v_cat_1,test_s,0,the cat"] * 3 + ["v,v_dog_1,test_s,1,the dog", "v,v_dog_1,test_s,2,the dog"]
    read = read_referrals(
        metadata(tmp_path, *rows, "v,v_puppy_1,val,1,a", "v,v_puppy_2,val,1,b", "v,v_animal_1,val,1,c")
    )
    assert [referral.uid for referral in read.referrals] == ["v_cat_1"]
    assert read.left_out["repeated row: used once"] == ["v_cat_1", "v_cat_1"]
    assert read.left_out["one uid for rows that differ"] == ["v_dog_1", "v_dog_1"]
    assert read.object_names["v", 1] == "puppy"  # two rows say so, of any split


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"vid,uid,fid,exp\n", "expected the columns vid,uid,split,fid,exp.,kfid., got none called split"),
        (b"v,v_cat_1,train,0,\xff\xfe", "metadata.csv line 1: expected UTF-8 text, got the byte 0xff"),
        (b"v,v_cat_1,train,0," + b"x" * 200_000, "expected comma-separated UTF-8 text"),
        (None, "no such file"),
    ],
)
def test_a_table_that_cannot_be_read(tmp_path, content, complaint):
    if content is not None:
        (tmp_path / "metadata.csv").write_bytes(content)
    with pytest.raises((ValueError, FileNotFoundError), match=complaint):
        RefAVSBench(tmp_path)


def test_the_header_is_optional_and_a_byte_order_mark_harmless(tmp_path):
    (tmp_path / "metadata.csv").write_text("﻿v,v_cat_1,train,0,the cat,3\n\n", encoding="utf-8")
    assert RefAVSBench(tmp_path).referrals == [Referral("v", "v_cat_1", "train", 0, "the cat", 3)]
    with pytest.raises(FileNotFoundError, match="no such folder"):
        RefAVSBench(tmp_path / "elsewhere")


def test_metadata_round_trip(tmp_path):
    referrals = [*REFERRALS, Referral("é", "é_ö_1", "test_u", 12, 'a "quoted", long name')]
    write_metadata(tmp_path / "metadata.csv", referrals)
    assert read_referrals(tmp_path / "metadata.csv").referrals == referrals


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "a\nb", "a\0b", "x" * 241, "é" * 121, "\ud800"])
def test_names_that_are_no_folder(name):
    assert not is_plain_name(name)


def replace(path: Path, content: bytes) -> None:
    path.unlink()  # a frame may be a link to its neighbour
    path.write_bytes(content)


def small_mask(path: Path) -> None:
    path.unlink()
    Image.new("L", (16, 24)).save(path)


@pytest.mark.parametrize(
    ("file", "damage", "complaint"),
    [
        ("media/clip_a/frames/3.jpg", Path.unlink, "no such frame file"),
        ("media/clip_a/frames/3.jpg", lambda path: replace(path, path.read_bytes()[:500]), "cannot be decoded"),
        ("media/clip_a/audio.wav", lambda path: replace(path, b"RIFF"), "expected a readable sound file"),
        ("gt_mask/clip_a/fid_0/00009.png", Path.unlink, "no such mask file"),
        ("gt_mask/clip_a/fid_3/00000.png", lambda path: replace(path, b""), "cannot be decoded"),
        ("gt_mask/clip_a/fid_3/00005.png", small_mask, "expected the size of its frame, 32x24, got 16x24"),
    ],
)
def test_problems_of_files(root, file, damage, complaint):
    damage(root / file)
    source = RefAVSBench(root)
    problems = source.problems(source.referrals)
    assert {problem.uid for problem in problems} == {"clip_a_cat_1", "clip_a_hair-dryer_1"}
    assert all(complaint in problem.text and Path(file).name in problem.text for problem in problems)
    assert source.problems(REFERRALS[2:]) == []


def test_a_missing_mask_is_no_empty_one(root):
    source = RefAVSBench(root)
    source.mask_path("clip_a", 3, 6).unlink()
    with pytest.raises(FileNotFoundError, match=r"fid_3.00006\.png: no such mask file"):
        source.read_masks("clip_a", 6)
    lost = Referral("clip_b", "clip_b_cat_9", "test_s", 9, "the cat")
    assert len(source.problems([lost])) == 10  # an object without any mask


def test_objects_may_be_links_and_other_folders_do_not_count(root):
    objects = root / "gt_mask" / "clip_a"
    (objects / "fid_12").symlink_to(objects / "fid_0", target_is_directory=True)
    for name in ("fid_x", "fid_01", "fid_", "other"):
        (objects / name).mkdir()
    assert RefAVSBench(root).object_names("clip_a") == {0: "cat", 3: "hair-dryer", 12: "object"}


@pytest.mark.skipif(not REAL_METADATA.is_file(), reason="the real metadata is not here")
def test_every_row_of_the_real_metadata_is_used_or_named():
    with REAL_METADATA.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    read = read_referrals(REAL_METADATA)
    assert Counter(r.split for r in read.referrals) == {"train": 13505, "test_s": 2286, "test_u": 1644}
    named = Counter(uid for uids in read.left_out.values() for uid in uids)
    assert named + Counter(r.uid for r in read.referrals) == Counter(row[1] for row in rows)
    assert sorted(map(len, read.left_out.values())) == [6, 8, 25, 608, 1028, 1349]
