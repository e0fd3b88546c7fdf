"""Masks as COCO writes them, run-length codes and polygons <-> (H, W) bool.

Run lengths go down the columns and start with the background. A code is checked before it is decoded: for one that is
too short the library would return uninitialised memory.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pycocotools import mask as coco_mask

MAX_PIXELS = 2**27
HUGE = 1e15  # for coordinates; NaN is not below it
OUTSIDE = 0.1  # of a side: how far outside of the picture the points of a polygon may be
MAX_DIGITS = 7  # of five bits each: more than any run needs


def encode_rle(mask: np.ndarray) -> dict:
    """(H, W) bool -> {"size": [H, W], "counts": compressed text}."""
    rle = coco_mask.encode(np.asfortranarray(mask, dtype=np.uint8))
    return {"size": list(mask.shape), "counts": rle["counts"].decode("ascii")}


def decode_rle(rle: dict) -> np.ndarray:
    """{"size": [H, W], "counts": text, or a list of run lengths} -> (H, W) bool. Raises ValueError if it is broken."""
    if not isinstance(rle, dict) or not {"size", "counts"} <= set(rle):
        raise ValueError(f"run-length code: expected an object with size and counts, got {str(rle)[:60]!r}")
    height, width = _checked_size(rle["size"])
    counts = rle["counts"]
    runs = _decompressed(counts) if isinstance(counts, str) else counts
    if not isinstance(runs, list) or any(type(run) is not int or run < 0 for run in runs):
        raise ValueError(f"run-length code: expected counts of 0 or more, got {str(counts)[:60]!r}")
    if sum(runs) != height * width:
        raise ValueError(
            f"run-length code: expected counts that sum to {height} x {width} = {height * width}, got {sum(runs)}"
        )
    is_object = np.arange(len(runs)) % 2 == 1
    return np.ascontiguousarray(np.repeat(is_object, runs).reshape(width, height).T)


def decode_polygons(polygons: Sequence[Sequence[float]], size: tuple[int, int]) -> np.ndarray:
    """Polygons [[x1, y1, x2, y2, ...], ...] -> their union as (H, W) bool. Raises ValueError for a broken one."""
    height, width = _checked_size(list(size))
    for polygon in polygons:
        is_even = isinstance(polygon, list) and len(polygon) >= 6 and len(polygon) % 2 == 0
        if not is_even or not all(type(value) in (int, float) and abs(value) < HUGE for value in polygon):
            raise ValueError(f"polygon: expected x1,y1,x2,y2,... of three points or more, got {str(polygon)[:60]!r}")
        _check_near(polygon[::2], width, "x", f"{width}x{height}")
        _check_near(polygon[1::2], height, "y", f"{width}x{height}")
    rles = coco_mask.frPyObjects([[float(value) for value in polygon] for polygon in polygons], height, width)
    return decode_rle({"size": [height, width], "counts": coco_mask.merge(rles)["counts"].decode("ascii")})


def _check_near(values: Sequence[float], side: int, name: str, picture: str) -> None:
    """Points a little outside of the picture are common. Ones farther away belong to another picture or size."""
    margin = max(2.0, OUTSIDE * side)
    if min(values) < -margin or max(values) > side + margin:
        got = f"{name} from {min(values):g} to {max(values):g}"
        raise ValueError(f"polygon: expected points near the picture of {picture}, got {got}")


def decode_segmentation(segmentation: dict | list, size: tuple[int, int]) -> np.ndarray:
    """COCO's `segmentation` (code or polygons) of a picture of this size (H, W) -> (H, W) bool. Raises ValueError."""
    if isinstance(segmentation, list) and segmentation:
        return decode_polygons(segmentation, size)
    mask = decode_rle(segmentation)
    if mask.shape != tuple(size):
        raise ValueError(f"run-length code: expected the picture's size {list(size)}, got {list(mask.shape)}")
    return mask


def _checked_size(size: list) -> tuple[int, int]:
    if not isinstance(size, list) or len(size) != 2 or any(type(side) is not int or side < 1 for side in size):
        raise ValueError(f"run-length code: expected size [height, width], got {str(size)[:60]!r}")
    if size[0] * size[1] > MAX_PIXELS:
        raise ValueError(f"run-length code: expected at most {MAX_PIXELS} pixels, got {size[0]} x {size[1]}")
    return size[0], size[1]


def _decompressed(text: str) -> list[int]:
    """COCO's compressed counts: digits of five bits, the lowest first; from the fourth run on, differences.

    Raises ValueError for text that is no such code.
    """
    runs: list[int] = []
    run, num_digits = 0, 0
    for character in text:
        digit = ord(character) - 48
        if not 0 <= digit < 64 or num_digits == MAX_DIGITS:
            raise ValueError(f"run-length code: expected compressed counts, got {text[:60]!r}")
        run |= (digit & 31) << (5 * num_digits)
        num_digits += 1
        if digit & 32:  # more digits follow
            continue
        if digit & 16:  # a negative difference
            run -= 1 << (5 * num_digits)
        runs.append(run + (runs[-2] if len(runs) > 2 else 0))
        run, num_digits = 0, 0
    if num_digits:
        raise ValueError(f"run-length code: expected compressed counts, got text that is cut off: {text[-60:]!r}")
    return runs
