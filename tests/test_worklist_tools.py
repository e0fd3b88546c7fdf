"""Work lists read back by the tools that they are for. Each is installed by scripts/requirements-tools.txt."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from scripts.worklist import main
from tests.finished_runs import write_finished_run
from tests.right_benchmark import HEIGHT, MASKS, WIDTH, write_right_benchmark

WHY = "not installed: scripts/requirements-tools.txt has it"


@pytest.fixture(scope="module")
def worklist(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("tools")
    root = folder / "MQ-RAVSBench"
    root.mkdir()
    write_right_benchmark(root)
    run = write_finished_run(folder / "results", root, lambda name, true: (true, 1.0))
    (folder / "all.yaml").write_text("flag: {expected_iou_below: 1, types: [perfect]}\n")
    assert main([str(run), "--output", str(folder / "list"), "--policy", str(folder / "all.yaml")]) == 0
    return folder / "list"


def prompts(worklist: Path) -> list[dict]:
    return [json.loads(line) for line in (worklist / "prompts.jsonl").read_text().splitlines()]


def true_masks(worklist: Path) -> list[np.ndarray]:
    """Of the list's masks, in its order."""
    rows = json.loads((worklist / "coco.json").read_text())["annotations"]
    return [MASKS[Path(row["attributes"]["audited_mask"]).stem] for row in rows]


def test_label_studio(worklist):
    reason = f"label-studio-sdk is {WHY}"
    brush = pytest.importorskip("label_studio_sdk.converter.brush", reason=reason)
    interface = pytest.importorskip("label_studio_sdk.label_interface", reason=reason)
    page = interface.LabelInterface((worklist / "label_studio.xml").read_text())
    tasks = json.loads((worklist / "label_studio.json").read_text())
    assert len(tasks) == len(MASKS)
    for task, mask, prompt in zip(tasks, true_masks(worklist), prompts(worklist), strict=True):
        page.validate_task({"data": task["data"]})
        page.validate_prediction(task["predictions"][0])
        value = task["predictions"][0]["result"][0]["value"]
        pixels = brush.decode_rle(value["rle"]).reshape(HEIGHT, WIDTH, 4)
        assert ((pixels[..., 3] > 0) == mask).all()
        assert task["predictions"][0]["score"] == prompt["expected_iou"]


def test_yolo(worklist):
    sv = pytest.importorskip("supervision", reason=f"supervision is {WHY}")
    found = sv.DetectionDataset.from_yolo(
        images_directory_path=str(worklist / "images"),
        annotations_directory_path=str(worklist / "labels"),
        data_yaml_path=str(worklist / "data.yaml"),
        force_masks=True,
    )
    ((_, _, detections),) = list(found)
    expected = true_masks(worklist)
    for mask, number, truth, prompt in zip(
        detections.mask, detections.class_id, expected, prompts(worklist), strict=True
    ):
        assert found.classes[number] == prompt["mask_type"]
        num_parts = cv2.connectedComponents(truth.astype(np.uint8))[0] - 1
        assert not (truth & ~mask).any()
        assert (mask & ~truth).sum() <= 20 * (num_parts - 1)  # the ways between parts; without them, nothing


def test_coco(worklist):
    sv = pytest.importorskip("supervision", reason=f"supervision is {WHY}")
    found = sv.DetectionDataset.from_coco(str(worklist / "images"), str(worklist / "coco.json"), force_masks=True)
    ((_, _, detections),) = list(found)
    assert all((mask == truth).all() for mask, truth in zip(detections.mask, true_masks(worklist), strict=True))


def test_fiftyone(worklist):
    """Its importer, without the database that a data set would be put into."""
    importers = pytest.importorskip(
        "fiftyone.utils.data.importers", reason="fiftyone is not installed (it brings a server)"
    )
    found = importers.FiftyOneDatasetImporter(str(worklist / "fiftyone"))
    assert found._is_legacy_format_data()  # without a version: then `Dataset.from_dir` takes the following importer
    with importers.LegacyFiftyOneDatasetImporter(str(worklist / "fiftyone")) as importer:
        (sample,) = list(importer)
        assert importer.get_dataset_info()["classes"][0] == "perfect"
    assert Path(sample.filepath).is_file()
    detections = sample.audits.detections
    for one, mask, prompt in zip(detections, true_masks(worklist), prompts(worklist), strict=True):
        left, top, right, bottom = prompt["box"]
        assert one.label == prompt["mask_type"] and one.expected_iou == prompt["expected_iou"]
        assert (one.mask == mask[top:bottom, left:right]).all()
        box = [left / WIDTH, top / HEIGHT, (right - left) / WIDTH, (bottom - top) / HEIGHT]
        assert one.bounding_box == pytest.approx(box)
