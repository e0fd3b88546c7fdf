"""Right input for every program, small: made once, and copied for each case, which may damage its copy.

bench (a benchmark), auditor (a folder), parts (pretrained weights), clip (frames, audio.wav, video.mkv, mask.png),
source (in the layout of Ref-AVSBench), pairs, coco, recipe.yaml and records.jsonl (answers).
"""

from __future__ import annotations

import atexit
import json
import re
import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from tests.conftest import GOLDEN
from tests.right_benchmark import (
    ACTIONS,
    FOLDERS,
    HEIGHT,
    MASKS,
    TEST,
    WIDTH,
    area,
    plain_iou,
    response_of,
    write_picture,
    write_right_benchmark,
)
from tests.scenes import write_source
from tests.seeded import assemble_pretrained_weights
from tests.test_clip import encode

LINKED = ("parts",)  # too large to be copied; a case that changes one has to replace the link


def make_material(root: Path) -> Path:
    """Everything in a new folder that may be changed, but for `parts`, which is linked."""
    shutil.copytree(_first_material(), root, ignore=shutil.ignore_patterns(*LINKED))
    for name in LINKED:
        (root / name).symlink_to(_first_material() / name)
    return root


@cache
def _first_material() -> Path:
    """Made once, and deleted when the program ends."""
    folder = Path(mkdtemp(prefix="faults-material-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return write_material(folder / "material")


def write_material(root: Path) -> Path:
    root.mkdir(parents=True)
    write_right_benchmark(root / "bench")
    write_source(root / "source")
    shutil.copytree(root / "bench/media/vB/frames", root / "clip/frames")
    shutil.copy(root / "bench/media/vB/audio.wav", root / "clip/audio.wav")
    shutil.copy(root / "bench" / FOLDERS[TEST] / "gt.png", root / "clip/mask.png")
    encode(root / "clip/video.mkv", seconds=10)
    for folder, file in (("images", "frames/0.jpg"), ("masks", "mask.png"), ("sounds", "audio.wav")):
        (root / "pairs" / folder).mkdir(parents=True)
        shutil.copy(root / "clip" / file, root / "pairs" / folder / f"p0{Path(file).suffix}")
    write_coco(root / "coco")
    (root / "recipe.yaml").write_text("batch_size: 16\ntest_name: test_s\nwithout: [audio, video]\nnum_workers: 0\n")
    (root / "records.jsonl").write_text("".join(json.dumps(record) + "\n" for record in right_records()))
    assemble_pretrained_weights(root / "parts", small_clip=True)
    write_auditor(root / "auditor", root / "parts")
    return root


def write_coco(root: Path) -> None:
    """A picture with a dog as a polygon, and its box and area."""
    (root / "images").mkdir(parents=True)
    write_picture(root / "images/3.jpg", area((3, 50, 0, 99)))
    shape = {"segmentation": [[20, 20, 60, 20, 60, 60, 20, 60]], "bbox": [20, 20, 40, 40], "area": 1600, "iscrowd": 0}
    content = {
        "images": [{"id": 1, "file_name": "3.jpg", "height": HEIGHT, "width": WIDTH}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1} | shape],
        "categories": [{"id": 1, "name": "dog"}],
    }
    (root / "i.json").write_text(json.dumps(content))


def right_records() -> list[dict]:
    """One right answer for each mask of the benchmark's test frame."""
    records = []
    for name, mask in MASKS.items():
        iou, action, mask_type = plain_iou(mask), ACTIONS[name], "perfect" if name == "gt" else name[:-2]
        record = {"uid": "vB_dog_1", "vid": "vB", "frame_idx": 1, "mask_type": mask_type, "iou_to_gt": iou}
        record |= {"action": action, "rank": None if name == "gt" else int(name[-1])}
        record |= {"mask_path": f"{FOLDERS[TEST]}/{name}.png", "raw_output": response_of(name, iou, action)}
        records.append(record | {"generated_ids": [1, 2]})
    return records


def write_auditor(folder: Path, parts: Path) -> None:
    """The golden auditor on the tiny parts, as a folder of ours."""
    from configs.model import ModelArguments
    from models.weights.bundle import AuditorBundle

    model_args = ModelArguments(pretrained_weights_dir=str(parts), lora_r=4, lora_alpha=8)
    AuditorBundle.from_pretrained(GOLDEN / "weights/ckpt", model_args).save_pretrained(folder)


def copy_material(material: Path, root: Path, argv: list[str]) -> None:
    """Copy to the new folder `root` what the command line names in it."""
    root.mkdir(parents=True)
    for word in argv:
        match = re.match(re.escape(f"{root}/") + r"([^/]+)", word)
        name = match[1] if match else ""
        if not name or not (material / name).exists() or (root / name).exists():
            continue
        if name in LINKED:
            (root / name).symlink_to(material / name)
        elif (material / name).is_dir():
            shutil.copytree(material / name, root / name)
        else:
            shutil.copy(material / name, root / name)
