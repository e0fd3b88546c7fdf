"""All masks of one ground truth, their ranks, actions and answers; and which other objects become negatives."""

import json

import cv2
import numpy as np
import pytest

from dataset.construction.candidates import make_candidates
from dataset.construction.negatives import (
    FileNegatives,
    Negative,
    box_iou,
    negatives_line,
    usable_negatives,
)
from dataset.construction.referrals import Referral
from utils.audit import parse_audit


def rectangle(top, left, bottom, right, size=(120, 160)):
    mask = np.zeros(size, bool)
    mask[top:bottom, left:right] = True
    return mask


GT = rectangle(40, 50, 80, 100)  # 2000 pixels
REFERRAL = Referral("v_0_10", "v_0_10_dog_1", "test_s", 0, "the dog")


def test_the_published_set_of_masks():
    negatives = [Negative("a cat", rectangle(40, 100, 60, 110)), Negative("a car", rectangle(0, 0, 10, 160))]
    made, missing = make_candidates(GT, "dog", negatives, np.random.default_rng(0))
    assert not missing
    assert [mask.name for mask in made] == [
        "gt",
        "cutout_1",
        "cutout_2",
        "dilate_1",
        "dilate_2",
        "erode_1",
        "erode_2",
        "merge_1",
        "merge_2",
        "full_neg_1",
        "full_neg_2",
    ]
    for mask in made:
        iou = (mask.mask & GT).sum() / (mask.mask | GT).sum()
        assert mask.audit.iou == pytest.approx(iou, abs=1e-12)
        said = parse_audit(mask.response)
        assert (said.mask_type, said.action) == (mask.audit.mask_type, mask.audit.action)
        assert f"<iou> {iou:.4f} </iou>" in mask.response and " dog" in mask.response
    assert made[0].audit.action == "accept" and np.array_equal(made[0].mask, GT)
    assert [mask.audit.action for mask in made[1:7]] == ["minor revision", "major revision"] * 3


def test_merges_are_ranked_by_iou_and_full_negs_by_their_boxes():
    near_and_large = Negative("sofa", rectangle(40, 100, 80, 160))
    far_and_small = Negative("lamp", rectangle(0, 0, 10, 10))
    ordered = usable_negatives(GT, [far_and_small, near_and_large])
    made, _ = make_candidates(GT, "dog", ordered, np.random.default_rng(0))
    by_name = {mask.name: mask for mask in made}
    assert [by_name[f"full_neg_{r}"].negative_object for r in (1, 2)] == ["sofa", "lamp"]
    assert [by_name[f"merge_{r}"].negative_object for r in (1, 2)] == ["lamp", "sofa"]
    assert [by_name[f"merge_{r}"].audit.action for r in (1, 2)] == ["minor revision", "reject"]
    assert np.array_equal(by_name["merge_2"].mask, GT | near_and_large.mask)
    assert "merging an excessively large, non-target sofa" in by_name["merge_2"].response


@pytest.mark.parametrize(
    ("pixels", "action"), [(222, "minor revision"), (223, "major revision"), (666, "major revision"), (667, "reject")]
)
def test_merge_actions_at_the_borders_of_their_ranges(pixels, action):
    """2000 / 2222 = 0.9001, 2000 / 2223 = 0.8997; 2000 / 2666 = 0.7502, 2000 / 2667 = 0.7499."""
    mask = np.zeros(GT.shape, bool)
    mask.ravel()[np.flatnonzero(~GT)[:pixels]] = True
    made, _ = make_candidates(GT, "dog", [Negative("rest", mask)], np.random.default_rng(0))
    assert next(mask for mask in made if mask.name == "merge_1").audit.action == action


def test_the_three_with_the_most_overlapping_boxes():
    around = rectangle(30, 40, 90, 110) & ~rectangle(36, 46, 84, 104)  # its box holds the target's
    objects = [
        Negative("touching", rectangle(40, 90, 80, 120)),
        Negative("far", rectangle(0, 0, 10, 10)),
        Negative("around", around),
        Negative("crossing", rectangle(60, 20, 70, 140)),
    ]
    assert [negative.name for negative in usable_negatives(GT, objects)] == ["around", "crossing", "touching"]


def test_what_an_object_shares_with_the_target_is_removed():
    (negative,) = usable_negatives(GT, [Negative("cat", rectangle(60, 90, 100, 130))])
    assert not (negative.mask & GT).any()
    assert np.array_equal(negative.mask, rectangle(60, 90, 100, 130) & ~GT)


@pytest.mark.parametrize(
    "mask",
    [
        rectangle(0, 0, 5, 5),  # 25 pixels
        rectangle(75, 95, 82, 101),  # 17 pixels beside the target
        rectangle(38, 48, 82, 102),  # the target once more
        np.zeros((120, 160), bool),
    ],
)
def test_what_is_no_negative(mask):
    assert usable_negatives(GT, [Negative("thing", mask)]) == []


def test_one_object_named_twice_is_one_negative():
    cat = rectangle(0, 0, 20, 20)
    assert [n.name for n in usable_negatives(GT, [Negative("cat", cat), Negative("the cat", cat.copy())])] == ["cat"]


def test_a_negative_of_another_size():
    with pytest.raises(
        ValueError, match=r"mask of 'cat': expected the ground truth's size \(120, 160\), got \(10, 10\)"
    ):
        usable_negatives(GT, [Negative("cat", np.ones((10, 10), bool))])


def test_a_tiny_object_says_what_it_cannot_have():
    made, missing = make_candidates(rectangle(5, 5, 7, 8), "dog", [], np.random.default_rng(0))
    assert {mask.name for mask in made} == {"gt", "dilate_1", "dilate_2"} | {
        mask.name for mask in made if mask.audit.mask_type == "erode"
    }
    assert {(item.mask_type, item.rank) for item in missing} >= {("cutout", 1), ("cutout", 2)}
    assert all(item.reason for item in missing)


def test_of_boxes_that_do_not_overlap_the_nearest_comes_first():
    far, near = Negative("far", rectangle(0, 0, 10, 10)), Negative("near", rectangle(85, 60, 95, 70))
    assert [negative.name for negative in usable_negatives(GT, [far, near])] == ["near", "far"]


def test_box_iou():
    assert box_iou((0, 0, 10, 10), (0, 5, 10, 15)) == pytest.approx(50 / 150)
    assert box_iou((0, 0, 10, 10), (10, 0, 20, 10)) == 0


def test_file_of_negatives(tmp_path):
    masks = [rectangle(0, 0, 20, 20), rectangle(3, 4, 50, 60)]
    cv2.imwrite(str(tmp_path / "cat.png"), masks[0].astype(np.uint8) * 255)
    lines = [
        negatives_line(REFERRAL.uid, 3, [("the cat", masks[0]), ("a – sofa", masks[1])]),
        {"uid": REFERRAL.uid, "frame": 4, "objects": [{"name": "cat", "mask_path": "cat.png"}]},
    ]
    path = tmp_path / "negatives.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)) + "\n", encoding="utf-8")
    negatives = FileNegatives(path)
    found = negatives(REFERRAL, 3)
    assert [n.name for n in found] == ["the cat", "a – sofa"]
    assert all(np.array_equal(n.mask, mask) for n, mask in zip(found, masks, strict=True))
    assert np.array_equal(negatives(REFERRAL, 4)[0].mask, masks[0])
    assert negatives(REFERRAL, 5) == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 1: expected an object with uid, frame and objects, got"),
        ("[" * 100_000, "line 1: expected an object with uid, frame and objects, got"),
        ('{"uid": "u", "frame": "3", "objects": []}', "line 1: expected uid as text, frame as a number"),
        (
            '{"uid": "u", "frame": 3, "objects": []}\n{"uid": "u", "frame": 3, "objects": []}',
            "line 2: expected each uid",
        ),
    ],
)
def test_a_wrong_file_of_negatives(tmp_path, line, said):
    (tmp_path / "n.jsonl").write_text(line)
    with pytest.raises(ValueError, match=said):
        FileNegatives(tmp_path / "n.jsonl")


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({"name": " "}, "expected each object to have a name"),
        ({"name": "</audit>"}, "name of an object: expected plain words"),
        ({"name": "cat", "mask_path": 3}, "line 1: 'cat': path: expected text"),
        ({"name": "cat", "mask_path": "cat.png"}, "line 1: 'cat': .*no such mask file"),
        ({"name": "cat"}, "expected segmentation or mask_path, one of them"),
        ({"name": "cat", "mask_path": "../cat.png"}, "expected a path inside"),
        ({"name": "cat", "segmentation": {"size": [2, 2], "counts": [9]}}, "'cat': run-length code: expected counts"),
    ],
)
def test_a_wrong_object_in_a_file_of_negatives(tmp_path, item, said):
    (tmp_path / "n.jsonl").write_text(json.dumps({"uid": REFERRAL.uid, "frame": 0, "objects": [item]}))
    with pytest.raises(ValueError, match=said):
        FileNegatives(tmp_path / "n.jsonl")(REFERRAL, 0)
