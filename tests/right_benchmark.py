"""A benchmark in which nothing is wrong, its masks drawn by hand: it shares no idea with the construction."""

import json
import shutil
from pathlib import Path

import numpy as np
from PIL import Image

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


def write_right_benchmark(root: Path) -> None:
    """One training instance, and one test instance in image and in video mode."""
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
