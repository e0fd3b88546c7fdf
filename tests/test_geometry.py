"""Cutout, dilate and erode over thousands of random masks: their geometry, their IoU, and the same bytes again."""

import cv2
import numpy as np
import pytest

from dataset.construction.geometry import Band, OutOfReach, Shape, count_pieces, cutout, dilate, erode

BANDS = {"hard": Band(85, 90), "medium": Band(75, 80)}
EDITS = {"cutout": cutout, "dilate": dilate, "erode": erode}
NUM_MASKS = 350  # of each of the six kinds
SQUARE = np.ones((3, 3), np.uint8)


def blob(rng, height, width):
    noise = cv2.GaussianBlur(rng.standard_normal((height, width)).astype(np.float32), (0, 0), rng.uniform(3, 10))
    return noise > np.quantile(noise, rng.uniform(0.5, 0.95))


def thin(rng, height, width):
    canvas = np.zeros((height, width), np.uint8)
    points = rng.integers(0, (width, height), (rng.integers(2, 6), 2)).astype(np.int32)
    return cv2.polylines(canvas, [points], bool(rng.random() < 0.3), 1, int(rng.integers(1, 5))) > 0


def many_parts(rng, height, width):
    canvas = np.zeros((height, width), np.uint8)
    for x, y in rng.integers(0, (width, height), (rng.integers(3, 20), 2)):
        cv2.circle(canvas, (int(x), int(y)), int(rng.integers(1, 9)), 1, cv2.FILLED)
    return canvas > 0


def tiny(rng, height, width):
    canvas = np.zeros((height, width), bool)
    y, x = rng.integers(0, height - 8), rng.integers(0, width - 8)
    canvas[y : y + rng.integers(1, 8), x : x + rng.integers(1, 8)] = True
    return canvas


def border(rng, height, width):
    canvas = np.zeros((height, width), np.uint8)
    centre = [(0, 0), (width - 1, height // 2), (width // 2, height - 1), (0, height - 1)][rng.integers(4)]
    axes = tuple(int(n) for n in rng.integers(5, width, 2))
    cv2.ellipse(canvas, centre, axes, float(rng.uniform(0, 180)), 0, 360, 1, cv2.FILLED)
    return canvas > 0


def nearly_all(rng, height, width):
    canvas = np.ones((height, width), bool)
    for _ in range(rng.integers(0, 4)):  # none of them: the full frame
        y, x = rng.integers(0, height), rng.integers(0, width)
        canvas[y : y + rng.integers(1, 30), x : x + rng.integers(1, 30)] = False
    return canvas


KINDS = [blob, thin, many_parts, tiny, border, nearly_all]


def random_mask(kind, seed):
    rng = np.random.default_rng(seed)
    mask = kind(rng, int(rng.integers(16, 90)), int(rng.integers(16, 120)))
    return mask if mask.any() else random_mask(kind, seed + 1_000_000)


def contour_of(gt):
    """The object's pixels with a neighbour that is not the object's, or at the frame's end."""
    padded = cv2.copyMakeBorder(gt.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    return gt & ~(cv2.erode(padded, SQUARE)[1:-1, 1:-1] > 0)


def touches(changed, near):
    """Whether every connected part of `changed` has a pixel in `near`."""
    count, labels = cv2.connectedComponents(changed.astype(np.uint8), connectivity=8)
    return set(np.unique(labels[near & changed])) >= set(range(1, count))


def check_geometry(edit, gt, mask):
    if edit == "dilate":
        assert mask[gt].all()
        assert touches(mask & ~gt, cv2.dilate(gt.astype(np.uint8), SQUARE) > 0)
    else:
        assert not (mask & ~gt).any()
        removed = gt & ~mask
        if edit == "cutout":
            assert not (removed & contour_of(gt)).any()
        else:
            assert touches(removed, contour_of(gt))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("edit", EDITS)
def test_every_mask_keeps_to_its_type_and_band(kind, edit):
    reached = 0
    for seed in range(NUM_MASKS):
        gt = random_mask(kind, seed)
        for low, high, band in ((0.85, 0.90, BANDS["hard"]), (0.75, 0.80, BANDS["medium"])):
            try:
                mask = EDITS[edit](Shape(gt), band, np.random.default_rng(seed))
            except OutOfReach:
                continue
            iou = (gt & mask).sum() / (gt | mask).sum()
            assert mask.shape == gt.shape and mask.dtype == bool
            assert low <= iou <= high, (seed, iou)
            check_geometry(edit, gt, mask)
            reached += 1
    assert reached > 0.05 * NUM_MASKS


@pytest.mark.parametrize("edit", EDITS)
def test_what_is_not_reached_cannot_be(edit):
    """Where an edit gives up, no mask of that type has an IoU in the band."""
    given_up = 0
    for kind in KINDS:
        for seed in range(NUM_MASKS):
            gt = random_mask(kind, seed)
            area, inner = int(gt.sum()), int((gt & ~contour_of(gt)).sum())
            room = {"cutout": inner, "erode": area - 1, "dilate": gt.size - area}[edit]
            ious = [area / (area + n) if edit == "dilate" else (area - n) / area for n in range(1, room + 1)]
            for low, high, band in ((0.85, 0.90, BANDS["hard"]), (0.75, 0.80, BANDS["medium"])):
                try:
                    EDITS[edit](Shape(gt), band, np.random.default_rng(seed))
                except OutOfReach:
                    assert not any(low <= iou <= high for iou in ious), (kind, seed, area, inner)
                    given_up += 1
    assert given_up


@pytest.mark.parametrize("edit", EDITS)
def test_same_seed_same_mask(edit):
    for kind in KINDS:
        for seed in range(20):
            gt = random_mask(kind, seed)
            before = gt.copy()
            try:
                first, again = (EDITS[edit](Shape(gt), BANDS["hard"], np.random.default_rng(seed)) for _ in range(2))
            except OutOfReach:
                continue
            assert np.array_equal(first, again) and np.array_equal(gt, before)


def test_seeds_differ():
    gt = np.zeros((120, 160), bool)
    gt[20:100, 30:120] = True
    for edit in EDITS.values():
        masks = {edit(Shape(gt), BANDS["medium"], np.random.default_rng(seed)).tobytes() for seed in range(20)}
        assert len(masks) == 20


@pytest.mark.parametrize("edit", ["dilate", "erode"])
def test_whole_contour_and_parts_of_it_both_occur(edit):
    gt = np.zeros((200, 300), np.uint8)
    gt = cv2.ellipse(gt, (150, 100), (90, 60), 20, 0, 360, 1, cv2.FILLED) > 0
    contour = contour_of(gt)
    shares = []
    for seed in range(100):
        mask = EDITS[edit](Shape(gt), BANDS["medium"], np.random.default_rng(seed))
        near_change = cv2.dilate((mask ^ gt).astype(np.uint8), SQUARE) > 0
        shares.append((near_change & contour).sum() / contour.sum())
    assert 30 <= sum(share > 0.99 for share in shares) <= 70
    assert all(share > 0.35 for share in shares)
    assert sum(share < 0.85 for share in shares) >= 25


def test_an_eroded_object_stays_in_one_piece():
    """An object with thin limbs: eroding all round would cut them off in many places."""
    split = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        gt = np.zeros((160, 160), np.uint8)
        cv2.circle(gt, (80, 80), 30, 1, cv2.FILLED)
        for angle in rng.uniform(0, 2 * np.pi, 5):
            end = (80 + 75 * np.cos(angle), 80 + 75 * np.sin(angle))
            cv2.line(gt, (80, 80), tuple(int(x) for x in end), 1, int(rng.integers(3, 9)))
        shape = Shape(gt > 0)
        split += count_pieces(erode(shape, BANDS["medium"], rng)) > shape.pieces
    assert split <= 2


def test_holes_have_both_forms_and_several_numbers():
    gt = np.zeros((200, 300), bool)
    gt[20:180, 20:280] = True
    holes = [gt & ~cutout(Shape(gt), BANDS["hard"], np.random.default_rng(seed)) for seed in range(60)]
    single = [hole for hole in holes if count_pieces(hole) == 1]
    fill = [hole.sum() / np.prod(np.ptp(np.argwhere(hole), axis=0) + 1) for hole in single]
    assert {1, 2, 3} <= {count_pieces(hole) for hole in holes}
    assert any(share > 0.97 for share in fill) and any(0.74 < share < 0.83 for share in fill)


def test_specks_in_the_ground_truth_are_no_contour_to_erode_from():
    gt = np.zeros((120, 160), bool)
    gt[10:110, 10:150] = True
    rng = np.random.default_rng(0)
    gt[rng.integers(30, 90, 40), rng.integers(30, 130, 40)] = False
    inside = gt[25:95, 25:135].sum()
    for seed in range(20):
        assert erode(Shape(gt), BANDS["hard"], np.random.default_rng(seed))[25:95, 25:135].sum() == inside


def test_an_object_that_fills_the_frame_erodes_from_the_frame():
    full = np.ones((60, 80), bool)
    mask = erode(Shape(full), BANDS["hard"], np.random.default_rng(0))
    assert touches(~mask, contour_of(full)) and mask[20:40, 25:55].all()
    with pytest.raises(OutOfReach, match="0 can be"):
        dilate(Shape(full), BANDS["hard"], np.random.default_rng(0))


def test_an_object_at_the_border_does_not_erode_from_it():
    gt = np.zeros((100, 100), bool)
    gt[30:, 30:70] = True
    for seed in range(20):
        removed = gt & ~erode(Shape(gt), BANDS["hard"], np.random.default_rng(seed))
        assert not removed[-1, 45:55].any()


def test_empty_ground_truth():
    with pytest.raises(ValueError, match="expected an object, got an empty mask"):
        Shape(np.zeros((10, 10), bool))
