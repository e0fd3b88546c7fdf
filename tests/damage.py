"""What can be wrong with a benchmark: a damage to the right one each, and what is to be said of it."""

import json
from functools import partial
from pathlib import Path

import numpy as np

from tests.right_benchmark import (
    ACTIONS,
    FOLDERS,
    GT,
    MASKS,
    META,
    TEST,
    TRAIN,
    VIDEO,
    area,
    plain_iou,
    response_of,
    write_picture,
)


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
    "an infinite rank": (
        partial(change, TEST, "erode_1", rank=float("inf")),
        "rank",
        "expected a whole number, got inf",
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
