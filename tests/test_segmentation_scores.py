"""Scores of segmentation masks, against results of the released code of TGS-Agent and Ref-AVS."""

import json

import cv2
import numpy as np
import pytest
import torch

from dataset.referring.masks import sigmoid
from dataset.referring.truth import read_truth_refavs, read_truth_tgs
from tests.conftest import GOLDEN
from utils.scores.boundaries import boundary_f, outline
from utils.scores.intervals import clustered_interval
from utils.scores.protocols import Stack, refavs_scores, strict_scores, tgs_scores
from utils.scores.regions import f_curve, f_measure, null_share, region_ious, thresholds

TGS = GOLDEN / "tgs"
METRICS = json.loads((TGS / "01_metrics.json").read_text())
PREPARED = json.loads((TGS / "02_gt_preparation/prepared.json").read_text())["files"]
close = pytest.approx


@pytest.fixture(scope="module")
def stacks() -> dict[str, Stack]:
    """Case -> its masks; the given probabilities where rounding matters."""
    with np.load(TGS / "01_metrics.npz") as content:
        files = dict(content)
    return {
        case["case"]: Stack(
            files[f"logits_{case['case']}"] > 0,
            files.get(f"prob_{case['case']}", sigmoid(files[f"logits_{case['case']}"])),
            files[f"gt_{case['case']}"] > 0,
        )
        for case in METRICS["cases"]
    }


@pytest.mark.parametrize("case", METRICS["cases"], ids=lambda case: case["case"])
def test_golden_scores(case, stacks):
    stack = stacks[case["case"]]
    tgs, refavs, think = case["tgs"], case["refavs"], case["sigmoid05"]
    own = tgs_scores(stack, is_null=False)
    assert own["J"] == close(tgs["J"], abs=1e-6)
    assert own["F"] == close(tgs["F_from_prob"], abs=1e-6)
    assert tgs_scores(stack, is_null=True)["S"] == close(tgs["S"], abs=1e-6)
    assert region_ious(stack.hard, stack.truth) == close(np.array(tgs["J_per_frame"]), abs=1e-6)
    single = [f_measure(soft[None], truth[None]) for soft, truth in zip(stack.soft, stack.truth, strict=True)]
    assert single == close(tgs["F_from_prob_per_frame"], abs=1e-6)
    assert f_measure(stack.hard.astype(np.float32), stack.truth) == close(tgs["F_from_binary_mask"], abs=1e-6)
    assert [null_share(mask) for mask in stack.hard] == close(tgs["S_per_frame"], abs=1e-6)
    if case["case"] != "33":  # its J depends on the last bit of the sigmoid
        assert refavs_scores([stack], is_null=False)["J"] == close(refavs["J"], abs=1e-6)
    assert refavs_scores([stack], is_null=False)["F"] == close(refavs["F"], abs=1e-6)
    assert refavs_scores([stack], is_null=True)["S"] == close(refavs["S"], abs=1e-6)
    assert region_ious(stack.soft > 0.5, stack.truth).mean() == close(think["J"], abs=1e-6)
    assert null_share(stack.soft > 0.5) == close(think["S_whole_stack"], abs=1e-6)


def test_golden_curve(stacks):
    curve = METRICS["pr_curve_case00_frame0"]
    precision, recall = np.array(curve["precision"]), np.array(curve["recall"])
    below = 0.3 * precision + recall
    expected = np.divide(1.3 * precision * recall, below, out=np.zeros_like(below), where=below > 0)
    assert f_curve(stacks["00"].soft[0], stacks["00"].truth[0]) == close(expected, abs=1e-6)


def test_thresholds_are_those_of_torch():
    assert np.array_equal(thresholds(), torch.linspace(0, 1 - 1e-10, 255).numpy())


@pytest.mark.parametrize("file", PREPARED, ids=lambda file: file["file"])
def test_golden_ground_truth(file):
    path = TGS / "02_gt_preparation" / file["file"]
    with np.load(TGS / "02_gt_preparation/prepared.npz") as prepared:
        for name, read, side in (("tgs", read_truth_tgs, 224), ("refavs", read_truth_refavs, 256)):
            expected = np.unpackbits(prepared[f"{path.stem}__{name}"]).reshape(side, side) > 0
            assert (read(path) != expected).sum() == 0
            assert expected.sum() == file[f"{name}_true_pixels"]


def test_masks_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"expected \(frames, height, width\) = \(1, 4, 4\)"):
        region_ious(np.zeros((1, 4, 5), bool), np.zeros((1, 4, 4), bool))
    assert f_measure(np.zeros((0, 4, 4), np.float32), np.zeros((0, 4, 4), bool)) == 0.0


def square(top: int, left: int, side: int = 20, size: int = 60) -> np.ndarray:
    mask = np.zeros((size, size), bool)
    mask[top : top + side, left : left + side] = True
    return mask


def test_strict_scores_choose_nothing_with_the_truth():
    truth = np.stack([square(10, 10), np.zeros((60, 60), bool), np.zeros((60, 60), bool)])
    hard = np.stack([square(10, 20), np.zeros((60, 60), bool), square(0, 0, side=1)])
    scores = strict_scores(Stack(hard, hard.astype(np.float32), truth), is_null=False)
    assert scores["J"] == close((200 / 600 + 1 + 0) / 3)
    assert scores["F"] == close((0.5 + 1 + 0) / 3)  # precision and recall are both a half
    nothing = strict_scores(Stack(hard[1:], hard[1:].astype(np.float32), truth[1:]), is_null=True)
    assert nothing == {"S": close((0 + 1 / 60) / 2), "silent": 0.0}


def test_refavs_takes_one_threshold_for_four_expressions():
    truth = square(10, 10)[None]
    low, high = (Stack(truth, np.where(truth, value, value - 0.3).astype(np.float32), truth) for value in (0.4, 0.9))
    assert refavs_scores([low], False)["F"] == refavs_scores([high], False)["F"] == 1.0
    assert refavs_scores([low, high], False)["F"] < 1.0


def test_boundary_f():
    mask, moved = square(10, 10), square(10, 11)
    assert boundary_f(mask, mask) == boundary_f(~mask & False, ~mask & False) == 1.0
    assert boundary_f(mask, mask & False) == boundary_f(mask & False, mask) == 0.0
    assert boundary_f(moved, mask) == 1.0  # one pixel is within 0.8% of the diagonal
    assert 0 < boundary_f(square(10, 14), mask) < 1.0
    assert outline(np.ones((5, 5), bool)).sum() == 0
    assert outline(square(10, 10)).sum() == 4 * 20  # a closed line of 21 x 21 pixels


def test_boundary_f_by_hand():
    """Half of the outline of the one lies far from that of the other."""
    truth = np.zeros((100, 100), bool)
    truth[40:60, 10:90] = True
    own = truth.copy()
    own[60:80, 10:90] = True
    near = cv2.dilate(outline(truth).astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)))
    assert (outline(own) & (near > 0)).sum() / outline(own).sum() < 0.7
    assert 0.5 < boundary_f(own, truth) < 0.8


def test_an_interval_of_alike_values_is_wider():
    rng = np.random.default_rng(0)
    videos = np.repeat(np.arange(30), 10)
    values = rng.normal(size=30)[videos]
    low, high = clustered_interval(values, videos)
    alone = clustered_interval(values, range(300))
    assert low < values.mean() < high
    assert high - low > 2 * (alone[1] - alone[0])
    assert clustered_interval([], []) is None
