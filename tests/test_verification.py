"""Verifying a benchmark: nothing to say about a right one, and a sentence for each thing that is wrong.

The masks are drawn by hand, so that verification and construction are not tested with each other's ideas.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from dataset.media.images import read_mask
from dataset.verification.benchmark import verify_benchmark
from dataset.verification.label_rules import band_rank, expected_action
from dataset.verification.mask_rules import GroundTruth, bounding_box, box_iou, geometry_fault
from scripts.benchmark.verify import main
from tests.conftest import BENCHMARK
from tests.damage import ALONE, IOU_880, WRONG, change, remove, swap_files
from tests.right_benchmark import (
    FOLDERS,
    GT,
    HEIGHT,
    MASKS,
    META,
    NEGATIVES,
    TEST,
    TRAIN,
    VIDEO,
    WIDTH,
    area,
    plain_iou,
    response_of,
    write_right_benchmark,
)


@pytest.fixture(scope="session")
def right_benchmark(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("verification") / "MQ-RAVSBench"
    write_right_benchmark(root)
    return root


@pytest.fixture
def root(right_benchmark, tmp_path) -> Path:
    return Path(shutil.copytree(right_benchmark, tmp_path / "MQ-RAVSBench"))


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
