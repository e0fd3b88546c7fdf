"""Verifying a benchmark: nothing to say about a right one, and a sentence for each thing that is wrong.

The masks are drawn by hand, so that verification and construction are not tested with each other's ideas.
"""

import json
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dataset.media import read_mask
from dataset.verification.benchmark import verify_benchmark
from dataset.verification.label_rules import band_rank, expected_action
from dataset.verification.mask_rules import GroundTruth, bounding_box, box_iou, geometry_fault
from scripts.benchmark.verify import main
from tests.conftest import BENCHMARK
from utils.audit import Audit, render_audit

META = "train_test_meta_files"
HEIGHT, WIDTH = 96, 128
TRAIN, TEST, VIDEO = "train_audit_only_filtered", "test_s_image_filtered", "test_s_video_filtered"
FOLDERS = {TRAIN: "masks/train/vA_cat_1", TEST: "masks/test_s/vB_dog_1", VIDEO: "masks/test_s/vB_dog_1/video"}


def area(*boxes) -> np.ndarray:
    """(H, W) bool: all pixels of the boxes (top, bottom, left, right)."""
    mask = np.zeros((HEIGHT, WIDTH), bool)
    for top, bottom, left, right in boxes:
        mask[top:bottom, left:right] = True
    return mask


GT = area((20, 60, 20, 60))  # 1600 pixels
NEGATIVES = [  # 164, 530 and 1250 pixels; their boxes overlap the ground truth's by 0.357, 0.314 and nothing
    area((10, 70, 62, 64), (62, 64, 40, 64)),
    area((5, 18, 30, 60), (5, 40, 10, 14)),
    area((70, 95, 70, 120)),
]
MASKS = {
    "gt": GT,
    "cutout_1": GT & ~area((30, 42, 30, 46)),
    "cutout_2": GT & ~area((25, 45, 30, 48)),
    "dilate_1": GT | area((20, 60, 60, 65)),
    "dilate_2": GT | area((20, 60, 60, 71)),
    "erode_1": GT & ~area((20, 60, 20, 25)),
    "erode_2": GT & ~area((20, 60, 20, 29)),
    **{f"merge_{rank}": GT | negative for rank, negative in enumerate(NEGATIVES, start=1)},
    **{f"full_neg_{rank}": negative for rank, negative in enumerate(NEGATIVES, start=1)},
}
ACTIONS = {
    "gt": "accept",
    **{f"{name}_1": "minor revision" for name in ("cutout", "dilate", "erode", "merge")},
    **{f"{name}_2": "major revision" for name in ("cutout", "dilate", "erode", "merge")},
    **dict.fromkeys(("merge_3", "full_neg_1", "full_neg_2", "full_neg_3"), "reject"),
}


def plain_iou(mask: np.ndarray, gt: np.ndarray = GT) -> float:
    return float((mask & gt).sum() / (mask | gt).sum())


def response_of(name: str, iou: float, action: str) -> str:
    mask_type = "perfect" if name == "gt" else name.rpartition("_")[0]
    return render_audit(Audit(mask_type, iou, action), "dog", "cat")


def write_picture(path: Path, mask: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask.astype(np.uint8) * 255).save(path)


def write_frame_masks(root: Path, prefix: str, is_train: bool) -> dict:
    """The masks of one frame, and their part of an entry; training leaves out rank and action, as published."""
    entry = {"part_neg_masks": {}, "full_neg_masks": []}
    for name, mask in MASKS.items():
        path, iou = f"{prefix}{name}.png", plain_iou(mask)
        write_picture(root / path, mask)
        raw = {"mask_path": path, "iou_to_gt": round(iou, 6), "response": response_of(name, iou, ACTIONS[name])}
        mask_type, _, rank = name.rpartition("_")
        if not is_train:
            raw |= {"action": ACTIONS[name]} | ({"rank": int(rank)} if mask_type else {})
        if not mask_type:
            entry["gt_mask_path"] = raw
        else:
            parts = entry["part_neg_masks"]
            (entry["full_neg_masks"] if mask_type == "full_neg" else parts.setdefault(mask_type, [])).append(raw)
    return entry


@pytest.fixture(scope="session")
def right_benchmark(tmp_path_factory) -> Path:
    """One training instance, and one test instance in image and in video mode."""
    root = tmp_path_factory.mktemp("verification") / "MQ-RAVSBench"
    for vid in ("vA", "vB"):
        for frame in range(10):
            write_picture(root / f"media/{vid}/frames/{frame}.jpg", area((frame, 50, 0, 99)))
        shutil.copy(BENCHMARK / "media/vB2/audio.wav", root / f"media/{vid}/audio.wav")
    head = {"uid": "vB_dog_1", "vid": "vB", "exp": "the dog, on the left", "kfid": 3}
    test = {"image_path": "media/vB/frames/3.jpg", **write_frame_masks(root, f"{FOLDERS[TEST]}/", False)}
    frames = [
        {"frame": t, "image_path": f"media/vB/frames/{t}.jpg"}
        | write_frame_masks(root, f"{FOLDERS[VIDEO]}/{t}_", False)
        for t in range(10)
    ]
    contents = {
        TRAIN: {"vA_cat_1": write_frame_masks(root, f"{FOLDERS[TRAIN]}/", True)},
        TEST: [head | test],
        VIDEO: {"vB_dog_1": head | {"frames": frames}},
    }
    (root / META).mkdir()
    for name, content in contents.items():
        (root / META / f"{name}.json").write_text(json.dumps(content))
    rows = ["vid,uid,split,fid,exp,kfid", "vA,vA_cat_1,train,1,the cat,4"]
    rows += ['vB,vB_dog_1,test_s,1,"the dog, on the left",3']
    (root / META / "metadata.csv").write_text("\n".join(rows) + "\n")
    (root / "README.md").write_text("anything")
    (root / "build_report.json").write_text("{}")
    return root


@pytest.fixture
def root(right_benchmark, tmp_path) -> Path:
    return Path(shutil.copytree(right_benchmark, tmp_path / "MQ-RAVSBench"))


class Edit:
    """One split file of a benchmark, changed and written back."""

    def __init__(self, root: Path, file: str, frame: int = 0):
        self.path = root / META / f"{file}.json"
        self.content = json.loads(self.path.read_text())
        self.entry = self.content[0] if isinstance(self.content, list) else next(iter(self.content.values()))
        self.frame = self.entry["frames"][frame] if file == VIDEO else self.entry

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.path.write_text(json.dumps(self.content))

    def mask(self, name: str) -> dict:
        mask_type, _, rank = name.rpartition("_")
        if not mask_type:
            return self.frame["gt_mask_path"]
        masks = self.frame["full_neg_masks"] if mask_type == "full_neg" else self.frame["part_neg_masks"][mask_type]
        return masks[int(rank) - 1]


def change(file: str, name: str, root: Path, **values) -> None:
    """Set keys of a mask's JSON; None removes one."""
    with Edit(root, file) as edit:
        mask = edit.mask(name)
        mask |= values
        for key in [key for key, value in values.items() if value is None]:
            del mask[key]


def swap_files(first: str, second: str, root: Path) -> None:
    with Edit(root, TEST) as edit:
        a, b = edit.mask(first), edit.mask(second)
        a["mask_path"], b["mask_path"] = b["mask_path"], a["mask_path"]


def repaint(name: str, mask: np.ndarray, root: Path, relabel: bool = False, file: str = TEST) -> None:
    """Other pixels for a mask; `relabel` also gives them their true IoU and answer."""
    write_picture(root / FOLDERS[file] / f"{name}.png", mask)
    if relabel:
        iou = plain_iou(mask)
        change(file, name, root, iou_to_gt=iou, response=response_of(name, iou, ACTIONS[name]))


def mask_type_in_nine_frames(root: Path) -> None:
    with Edit(root, VIDEO, frame=4) as edit:
        del edit.frame["part_neg_masks"]["merge"]
    for rank in (1, 2, 3):
        (root / FOLDERS[VIDEO] / f"4_merge_{rank}.png").unlink()


def nine_frames(root: Path) -> None:
    with Edit(root, VIDEO) as edit:
        del edit.entry["frames"][9]
    for path in (root / FOLDERS[VIDEO]).glob("9_*.png"):
        path.unlink()


def frame_twice(root: Path) -> None:
    with Edit(root, VIDEO, frame=5) as edit:
        edit.frame |= {"frame": 4, "image_path": "media/vB/frames/4.jpg"}


def same_file_twice(root: Path) -> None:
    with Edit(root, TEST) as edit:
        edit.frame["part_neg_masks"]["cutout"].append(dict(edit.mask("cutout_1")))


def second_perfect(root: Path) -> None:
    with Edit(root, TEST) as edit:
        edit.frame["part_neg_masks"]["gt"] = [edit.frame["part_neg_masks"]["erode"].pop(0) | {"action": "accept"}]


def no_ground_truth(root: Path) -> None:
    with Edit(root, TEST) as edit:
        del edit.frame["gt_mask_path"]
    (root / FOLDERS[TEST] / "gt.png").unlink()


def fourth_full_neg(root: Path) -> None:
    write_picture(root / FOLDERS[TEST] / "full_neg_4.png", area((80, 90, 0, 10)))
    with Edit(root, TEST) as edit:
        path = f"{FOLDERS[TEST]}/full_neg_4.png"
        edit.frame["full_neg_masks"].append({"mask_path": path, "iou_to_gt": 0.0, "rank": 4})


def repeated_uid(root: Path) -> None:
    with Edit(root, TEST) as edit:
        edit.content.append(edit.entry)


def edit_csv(old: str, new: str, root: Path) -> None:
    path = root / META / "metadata.csv"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def edit_entry(file: str, root: Path, **values) -> None:
    with Edit(root, file) as edit:
        edit.frame |= values


def write_file(where: str, content: bytes, root: Path) -> None:
    (root / where).parent.mkdir(parents=True, exist_ok=True)
    (root / where).write_bytes(content)


def remove(where: str, root: Path) -> None:
    (root / where).unlink()


def shifted() -> np.ndarray:
    return np.roll(MASKS["cutout_1"], 3, axis=1)


IN_TEST = FOLDERS[TEST]
IOU_880, IOU_889 = plain_iou(MASKS["cutout_1"]), plain_iou(MASKS["dilate_1"])
WRONG = {
    "shifted mask": (partial(repaint, "cutout_1", shifted()), "geometry", "inside the ground truth, got 120 pixels"),
    "shifted IoU": (partial(repaint, "cutout_1", shifted()), "iou", f"got {IOU_880:.6f}"),
    "shifted ground truth": (partial(repaint, "gt", np.roll(GT, 1, axis=0)), "geometry", "to cover the ground truth"),
    "wrong IoU": (partial(change, TEST, "cutout_1", iou_to_gt=0.8802), "iou", "expected 0.880000 as measured"),
    "no IoU": (partial(change, TEST, "cutout_1", iou_to_gt=None), "iou", "as measured, got none"),
    "IoU of gt": (partial(change, TEST, "gt", iou_to_gt=0.9), "iou", "expected 1.0 of a perfect mask, got 0.9"),
    "IoU of gt in training": (partial(change, TRAIN, "gt", iou_to_gt=0.9), "iou", "expected 1.000000 as measured"),
    "no number": (partial(change, TEST, "cutout_1", iou_to_gt="0.88"), "annotation", "expected a number from 0 to 1"),
    "cutout is an erode": (partial(swap_files, "cutout_1", "erode_1"), "geometry", "cutout off the contour, got 48"),
    "erode is a cutout": (partial(swap_files, "cutout_1", "erode_1"), "geometry", "got 1 part of 192 pixels off the"),
    "dilate is a merge": (partial(swap_files, "dilate_1", "merge_1"), "geometry", "expected a dilate, got a merge"),
    "merge is a dilate": (partial(swap_files, "dilate_1", "merge_1"), "geometry", "one of the frame's 3 full_neg"),
    "full_neg is a merge": (partial(swap_files, "full_neg_2", "merge_2"), "geometry", "got 1600 pixels in common"),
    "gt is a cutout": (partial(swap_files, "gt", "cutout_1"), "geometry", "inside the ground truth, got 192 pixels"),
    "gt is a dilate": (partial(swap_files, "gt", "dilate_1"), "geometry", "to cover the ground truth, got 200 pixels"),
    "gt is a full_neg": (partial(swap_files, "gt", "full_neg_3"), "geometry", "inside the ground truth"),
    "second perfect": (second_perfect, "perfect", "expected one perfect mask in a frame, got 2"),
    "perfect that differs": (second_perfect, "geometry", "the ground truth itself, got a mask with 200 pixels"),
    "no ground truth": (no_ground_truth, "perfect", "a ground truth to measure 12 masks with, got none"),
    "path outside": (partial(change, TEST, "cutout_1", mask_path="../x.png"), "annotation", "expected a path inside"),
    "unknown action": (partial(change, TEST, "erode_1", action="keep"), "annotation", "expected one of accept"),
    "wrong action": (partial(change, TEST, "erode_1", action="reject"), "action", "expected 'minor revision' for"),
    "wrong merge action": (partial(change, TEST, "merge_3", action="accept"), "action", "'reject' for merge at IoU"),
    "action of full_neg": (partial(change, TEST, "full_neg_1", action="accept"), "action", "expected 'reject', got"),
    "action of gt": (partial(change, TEST, "gt", action="reject"), "action", "expected 'accept', got 'reject'"),
    "no action": (partial(change, TEST, "erode_1", action=None), "action", "got none"),
    "action in training": (partial(change, TRAIN, "erode_1", action="reject"), "action", "expected 'minor revision'"),
    "wrong rank": (partial(change, TEST, "erode_1", rank=2), "rank", "rank: expected 1 for a measured IoU of 0.875000"),
    "rank twice": (partial(change, TEST, "erode_1", rank=2), "rank", "expected one erode mask of rank 2 in a frame"),
    "no rank at all": (
        partial(change, TEST, "erode_1", rank=float("inf")),
        "rank",
        "expected a whole number, got none",
    ),
    "no path": (partial(edit_entry, TEST, image_path=[]), "annotation", "path: expected text, got []"),
    "rank 3": (partial(change, TEST, "erode_1", rank=3), "rank", "expected 1 or 2 for a mask of type erode, got 3"),
    "rank in training": (partial(change, TRAIN, "erode_1", rank=2), "rank", "expected 1 for a measured IoU"),
    "no rank": (partial(change, TEST, "merge_1", rank=None), "rank", "expected a whole number, got none"),
    "rank as text": (partial(change, TRAIN, "merge_1", rank="first"), "rank", "expected a whole number, got 'first'"),
    "merge order": (partial(swap_files, "merge_1", "merge_2"), "rank", "IoU: expected at most 0.751174 at rank 2"),
    "full_neg order": (partial(swap_files, "full_neg_2", "full_neg_3"), "rank", "box overlap with the ground truth: "),
    "rank gap": (partial(change, TEST, "full_neg_3", rank=4), "rank", "the ranks 1 to 3, got 1, 2, 4"),
    "rank repeated": (partial(change, TEST, "full_neg_3", rank=2), "rank", "the ranks 1 to 3, got 1, 2, 2"),
    "four full_neg": (fourth_full_neg, "rank", "at most 3 masks of type full_neg in a frame, got 4"),
    "between the bands": (
        partial(repaint, "cutout_1", GT & ~area((30, 46, 30, 46)), relabel=True),
        "band",
        "expected from 0.85 to 0.90 for a mask of type cutout, got 0.840000",
    ),
    "both in one band": (
        partial(repaint, "cutout_2", GT & ~area((30, 42, 30, 47)), relabel=True, file=TRAIN),
        "rank",
        "expected one cutout mask of rank 1 in a frame",
    ),
    "dilate apart": (
        partial(repaint, "dilate_1", GT | area((20, 60, 62, 67)), relabel=True),
        "geometry",
        "got 1 part of 200 pixels that do not touch it",
    ),
    "dilate far": (
        partial(repaint, "dilate_1", GT | area((40, 43, 60, 127)), relabel=True),
        "geometry",
        "of the ground truth, got pixels 67.0 away",
    ),
    "cutout at the contour": (
        partial(repaint, "cutout_1", GT & ~area((21, 33, 21, 36), (20, 21, 40, 41)), relabel=True),
        "geometry",
        "off the contour, got 1 pixel of the contour removed",
    ),
    "erode with a hole": (
        partial(repaint, "erode_1", GT & ~area((20, 60, 20, 24), (40, 42, 40, 42)), relabel=True),
        "geometry",
        "got 1 part of 4 pixels off the contour",
    ),
    "other size": (partial(repaint, "erode_2", MASKS["erode_2"][:90]), "size", "128x96 as the ground truth"),
    "size of the frame": (partial(repaint, "gt", np.ones((50, 70), bool)), "size", "128x96 as the frame, got 70x50"),
    "empty mask": (partial(repaint, "erode_2", area()), "empty", "expected foreground in a mask of type erode"),
    "empty ground truth": (partial(repaint, "gt", area()), "empty", "expected foreground in a mask of type perfect"),
    "same file twice": (same_file_twice, "duplicate", "expected each mask file once in a frame"),
    "same pixels": (partial(repaint, "erode_2", MASKS["erode_1"]), "duplicate", "erode_1.png, got the same"),
    "orphan": (partial(write_file, f"{IN_TEST}/.gt.png.tmp", b"x"), "orphan", f"{IN_TEST}/.gt.png.tmp: expected only"),
    "orphan folder": (partial(write_file, "masks/val/u/gt.png", b"x"), "orphan", "masks/val/u/gt.png: expected only"),
    "unused video": (partial(write_file, "media/vC/audio.wav", b"x"), "orphan", "media/vC: expected only videos"),
    "missing mask": (partial(remove, f"{IN_TEST}/merge_2.png"), "file", "merge_2.png: no such mask file"),
    "missing gt": (partial(remove, f"{IN_TEST}/gt.png"), "file", "gt.png: no such mask file"),
    "unreadable mask": (partial(write_file, f"{IN_TEST}/merge_2.png", b"PNG?"), "file", "expected an image, got"),
    "missing frame file": (partial(remove, "media/vB/frames/7.jpg"), "media", "7.jpg: no such frame file"),
    "unreadable frame": (partial(write_file, "media/vA/frames/2.jpg", b"JPG?"), "media", "expected an image, got"),
    "unreadable sound": (partial(write_file, "media/vA/audio.wav", b"WAV?"), "media", "audio.wav"),
    "answer's IoU": (
        partial(change, TRAIN, "cutout_1", response=response_of("cutout_1", 0.87, "minor revision")),
        "response",
        "expected IoU 0.8800 as measured, got 0.8700",
    ),
    "answer's type": (
        partial(change, TRAIN, "cutout_1", response=response_of("erode_1", IOU_880, "minor revision")),
        "response",
        "expected mask type cutout, got 'erode'",
    ),
    "answer's action": (
        partial(change, TEST, "dilate_1", response=response_of("dilate_1", IOU_889, "major revision")),
        "response",
        "expected action 'minor revision', got 'major revision'",
    ),
    "answer without values": (partial(change, TRAIN, "gt", response="Fine."), "response", "type perfect, got none"),
    "no answer": (partial(change, TRAIN, "gt", response=None), "response", "expected the answer to learn, got none"),
    "other object": (partial(change, TEST, "merge_1", negative_object="sofa"), "response", "names, got 'sofa'"),
    "object without words": (partial(change, TEST, "merge_1", negative_object=["cat"]), "response", "got ['cat']"),
    "nine frames": (nine_frames, "video", "frames 0 to 9 once each, got 0, 1, 2, 3, 4, 5, 6, 7, 8"),
    "frame twice": (frame_twice, "video", "frames 0 to 9 once each, got 0, 1, 2, 3, 4, 4, 6"),
    "type in nine frames": (mask_type_in_nine_frames, "video", "merge masks in all 10 frames or in none, got"),
    "repeated uid": (repeated_uid, "annotation", "expected each uid once, got it twice"),
    "other kfid": (partial(edit_entry, TEST, kfid=4), "metadata", "kfid: expected '3' as in metadata.csv, got '4'"),
    "other words": (partial(edit_entry, TEST, exp="the cat"), "metadata", "exp: expected 'the dog, on the left'"),
    "other frame": (partial(edit_entry, TEST, image_path="media/vB/frames/5.jpg"), "metadata", "expected frame 3, got"),
    "other split": (partial(edit_csv, "test_s", "test_u"), "metadata", "expected split test_s in metadata.csv"),
    "unused row": (partial(edit_csv, "vA,vA_cat_1", "vA,vA_x_9,test_u,1,x,1\nvA,vA_cat_1"), "metadata", "got none"),
    "unknown uid": (partial(edit_csv, "vB,vB_dog_1", "vB,vB_dog_2"), "annotation", "metadata.csv does not know"),
    "no masks": (
        partial(edit_entry, TRAIN, gt_mask_path=None, part_neg_masks={}, full_neg_masks=[]),
        "metadata",
        "expected masks, got an entry without any",
    ),
}
# What is wrong in one way only is told in one way only.
ALONE = {"wrong IoU", "IoU of gt", "wrong action", "action of full_neg", "between the bands", "dilate far", "rank gap"}
ALONE |= {"other size", "empty mask", "orphan", "unused video", "missing mask", "unreadable mask", "answer's IoU"}
ALONE |= {"nine frames", "type in nine frames", "other kfid", "unused row", "missing frame file", "no answer"}


def test_right_benchmark(right_benchmark):
    report = verify_benchmark(right_benchmark)
    assert report.findings == ()
    assert (report.samples, report.masks) == (12, 12 * 13)


@pytest.mark.parametrize("name", WRONG)
def test_wrong_benchmark(root, name):
    edit, kind, sentence = WRONG[name]
    edit(root)
    findings = verify_benchmark(root).findings
    assert any(finding.kind == kind and sentence in finding.text for finding in findings), findings
    if name in ALONE:
        # A file of image and of video mode is wrong for one uid: once.
        assert len(findings) == 1, findings


def test_optional_keys(root):
    """Training entries need neither IoU, rank nor action; an IoU slot of an answer is filled when it is learned."""
    answer = response_of("cutout_1", IOU_880, "minor revision").replace("<iou> 0.8800 </iou>", "<iou_token>")
    change(TRAIN, "cutout_1", root, response=answer)
    change(TRAIN, "merge_1", root, iou_to_gt=None, negative_object="cat")
    change(TEST, "gt", root, iou_to_gt=None, action=None, response=None)
    change(TEST, "full_neg_1", root, action=None, response=None)
    assert verify_benchmark(root).findings == ()


def test_program(root, tmp_path, capsys):
    """Exit code 0, 1, 2; in two processes the same as in one."""
    output = tmp_path / "out" / "findings.json"
    arguments = [str(root), "--num_workers", "2", "--output", str(output)]
    assert main(arguments) == 0
    assert "156 masks of 12 frames verified, nothing is wrong" in capsys.readouterr().out
    for frame in range(10):
        remove(f"{FOLDERS[VIDEO]}/{frame}_erode_1.png", root)
    swap_files("cutout_1", "erode_1", root)
    assert main(arguments) == 1
    printed, written = capsys.readouterr().out, json.loads(output.read_text())
    assert "file (10)" in printed and "... and 5 more" in printed and f"all of them: {output}" in printed
    assert [finding["text"] for finding in written["findings"]] == [f.text for f in verify_benchmark(root).findings]
    assert written["counts"]["file"] == 10 and (written["masks"], written["samples"]) == (156, 12)
    assert main([str(tmp_path / "nowhere")]) == 2
    assert "no such folder" in capsys.readouterr().err


def test_no_benchmark(root, tmp_path, capsys):
    """A folder in which nothing can be measured is not a benchmark without faults."""
    assert main([str(tmp_path)]) == 2
    assert "expected at least one of train_audit_only_filtered.json" in capsys.readouterr().err
    for file in (TEST, VIDEO, TRAIN):
        (root / META / f"{file}.json").write_text("[]")
    (root / META / "metadata.csv").write_text("vid,uid,split,fid,exp,kfid\n")
    shutil.rmtree(root / "media")
    assert main([str(root)]) == 2
    assert "expected masks to verify" in capsys.readouterr().err
    with pytest.raises(SystemExit) as exit_:
        main([])
    assert exit_.value.code == 2
    assert "ROOT" in capsys.readouterr().err


def test_golden_benchmark():
    """Its bands are invented, so much is found; nothing in it stops the verification."""
    report = verify_benchmark(BENCHMARK)
    assert report.masks == 154
    assert {"band", "geometry", "action", "size"} <= set(report.counts)
    assert not any(finding.kind in ("iou", "file", "media", "orphan") for finding in report.findings)


def test_contour_at_the_border_and_around_holes():
    ring = area((0, 30, 0, 30)) & ~area((10, 20, 10, 20))
    gt = GroundTruth(ring)
    padded = np.pad(ring, 1)
    neighbours = [padded[y : y + HEIGHT, x : x + WIDTH] for y in range(3) for x in range(3)]
    np.testing.assert_array_equal(gt.contour, (ring & ~np.logical_and.reduce(neighbours))[gt.box])
    assert "1 pixel" in geometry_fault(gt, "cutout", ring & ~area((0, 1, 15, 16)), {})  # at the frame's end
    assert "1 pixel" in geometry_fault(gt, "cutout", ring & ~area((9, 10, 9, 10)), {})  # at the hole's corner
    assert geometry_fault(gt, "cutout", ring & ~area((1, 9, 1, 9)), {}) is None
    assert geometry_fault(gt, "erode", ring & ~area((9, 10, 9, 10)), {}) is None
    assert geometry_fault(gt, "dilate", ring | area((10, 12, 10, 20)), {}) is None


def test_dilate_without_room():
    """Where the frame leaves a corner only, growth goes far and is still a dilate."""
    gt = GroundTruth(area((0, HEIGHT, 0, 90)))
    assert geometry_fault(gt, "dilate", gt.mask | area((0, HEIGHT, 90, 120)), {}) is None


def test_overlaps():
    mask = np.random.default_rng(0).random((HEIGHT, WIDTH)) < 0.3
    assert GroundTruth(GT).iou(mask) == plain_iou(mask)
    assert GroundTruth(GT).iou(area()) == 0.0
    boxes = [bounding_box(negative) for negative in NEGATIVES]
    assert [round(box_iou(bounding_box(GT), box), 3) for box in boxes] == [0.357, 0.314, 0.0]
    assert box_iou(bounding_box(area()), bounding_box(area())) == 0.0


def test_bands_include_their_ends():
    assert [band_rank(iou) for iou in (0.9, 0.85, 0.8, 0.75)] == [1, 1, 2, 2]
    assert [band_rank(iou) for iou in (0.9001, 0.8499, 0.8001, 0.7499)] == [None] * 4
    assert [expected_action("merge", iou) for iou in (0.9, 0.75, 0.7499)] == [
        "minor revision",
        "major revision",
        "reject",
    ]


def test_read_back(right_benchmark):
    """The hand-made masks are what the files hold."""
    for name, mask in MASKS.items():
        np.testing.assert_array_equal(read_mask(right_benchmark / FOLDERS[TEST] / f"{name}.png"), mask)
