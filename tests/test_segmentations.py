"""Masks as codes: run lengths and polygons."""

import json

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from tests.import_material import HEIGHT, WIDTH, run_lengths, square
from utils.run_length import decode_polygons, decode_rle, decode_segmentation, encode_rle


@pytest.mark.filterwarnings("ignore:__array__ implementation")
@pytest.mark.parametrize("seed", range(40))
def test_run_length_codes(seed):
    rng = np.random.default_rng(seed)
    mask = rng.random(rng.integers(1, 50, 2)) < rng.choice([0, 0.02, 0.5, 0.98, 1])
    mask = np.repeat(mask, rng.integers(1, 40), axis=0)  # long runs as well
    rle = encode_rle(mask)
    assert json.loads(json.dumps(rle)) == rle
    assert np.array_equal(coco_mask.decode(rle).astype(bool), mask)
    assert np.array_equal(decode_rle(rle), mask)
    assert np.array_equal(decode_rle({"size": list(mask.shape), "counts": run_lengths(mask)}), mask)


def test_polygons():
    drawn = decode_polygons([[10, 5, 20, 5, 20, 15, 10, 15], [30.5, 20, 40.5, 20, 40.5, 30, 30.5, 30]], (HEIGHT, WIDTH))
    both = square(5, 10) | square(20, 30)
    assert drawn.shape == both.shape and drawn.dtype == bool
    assert np.count_nonzero(drawn ^ both) <= 40  # half a pixel at the borders
    outside = decode_polygons([[-3, -3, 63.5, -3, 63.5, 43, -3, 43]], (HEIGHT, WIDTH))
    assert outside.all()


@pytest.mark.parametrize(
    ("segmentation", "complaint"),
    [
        ({"size": [40, 60], "counts": "5"}, "sum to 40 x 60 = 2400, got 5"),
        ({"size": [40, 60], "counts": ""}, "sum to 40 x 60 = 2400, got 0"),
        ({"size": [40, 60], "counts": "\x00\xff"}, "expected compressed counts"),
        ({"size": [40, 60], "counts": "o" * 200}, "expected compressed counts"),
        ({"size": [40, 60], "counts": "5o"}, "cut off"),
        ({"size": [40, 60], "counts": [2000, 401]}, "got 2401"),
        ({"size": [40, 60], "counts": [2401, -1]}, "expected counts of 0 or more"),
        ({"size": [40, 60], "counts": [2400.0]}, "expected counts of 0 or more"),
        ({"size": [40, 60], "counts": None}, "expected counts of 0 or more"),
        ({"size": [60, 40], "counts": [2400]}, r"expected the picture's size \[40, 60\], got \[60, 40\]"),
        ({"size": [10**6, 10**6], "counts": [10**12]}, "expected at most"),
        ({"size": [0, 60], "counts": []}, r"expected size \[height, width\]"),
        ({"size": "40", "counts": []}, r"expected size \[height, width\]"),
        ({"counts": [2400]}, "expected an object with size and counts"),
        ([], "expected an object with size and counts"),
        ("text", "expected an object with size and counts"),
        ([[1, 2, 3, 4]], "of three points or more"),
        ([[1, 2, 3, 4, 5]], "of three points or more"),
        ([[1, 2, 3, 4, 5, 6, 7]], "of three points or more"),
        ([[1, 2, 3, 4, 5, float("nan")]], "of three points or more"),
        ([[1, 2, 3, 4, 5, "6"]], "of three points or more"),
        ([1, 2, 3, 4, 5, 6], "of three points or more"),
        ([[0, 0, 1e9, 0, 5, 5]], "expected points near the picture of 60x40"),
    ],
)
def test_broken_segmentations(segmentation, complaint):
    with pytest.raises(ValueError, match=complaint):
        decode_segmentation(segmentation, (HEIGHT, WIDTH))
