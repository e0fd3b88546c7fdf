"""Whether a COCO annotation agrees with itself and its picture: its mask with its `bbox` and `area`, and its ids.

COCO's files say the same thing twice: a mask, and beside it the mask's box and number of pixels. Where the two differ,
one of them is wrong, and nobody can know which one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from utils.run_length import decode_polygons, decode_rle

BOX_MARGIN, BOX_SHARE = 3, 0.05  # how far a side of the box may be off: pixels, or a share of the longest side
AREA_SHARE = 0.1  # how far an area may be off, beside half of the mask's border
EXACT_INTEGERS = 2**53  # floats above cannot tell neighbouring ids apart
MOST_COMPARED = 20  # polygons of one object, for each two of which it is asked whether one lies in the other


def checked_id(value: object, where: str) -> object:
    """The id. Raises ValueError for one that is neither a whole number nor text."""
    is_whole = type(value) is float and value.is_integer() and abs(value) < EXACT_INTEGERS
    if value is None or type(value) in (int, str) or is_whole:
        return value
    raise ValueError(f"{where}: expected ids that are whole numbers or text, got {str(value)[:60]}")


def checked_side(value: object, where: str) -> int | None:
    """The declared height or width of a picture, if there is one. Raises ValueError for one that is no length."""
    if value is None or (type(value) in (int, float) and 1 <= value < math.inf and value == int(value)):
        return value and int(value)
    raise ValueError(f"{where}: expected a whole number of pixels as height and width, got {value!r}")


def is_crowd(annotation: dict, where: str) -> bool:
    value = annotation.get("iscrowd")
    if value not in (None, 0, 1) or type(value) is float:
        raise ValueError(f"{where}: iscrowd: expected 0 or 1, got {value!r}")
    return bool(value)


def without_strays(segmentation: object) -> tuple[object, int]:
    """Polygons without those of one or two points, which enclose nothing; and how many these were.

    A code, and polygons of which none would remain, are given back as they are.
    """
    if not isinstance(segmentation, list) or not all(isinstance(polygon, list) for polygon in segmentation):
        return segmentation, 0
    whole = [polygon for polygon in segmentation if len(polygon) not in (2, 4)]
    return (whole, len(segmentation) - len(whole)) if whole else (segmentation, 0)


def check_units(polygons: object, size: tuple[int, int]) -> None:
    """Raises ValueError for coordinates that are parts of the picture, not pixels."""
    if isinstance(polygons, list) and max(size) > 2:
        values = [value for polygon in polygons if isinstance(polygon, list) for value in polygon]
        if values and all(type(value) in (int, float) and 0 <= value <= 1 for value in values):
            raise ValueError(f"polygon: expected coordinates in pixels of {size[1]}x{size[0]}, got ones from 0 to 1")


def check_mask(annotation: dict, mask: np.ndarray) -> None:
    """Raises ValueError if the (H, W) bool mask is not the one that `bbox` and `area` speak of."""
    box, area = _given_box(annotation), _given_area(annotation)
    if not mask.any():
        if (area or 0) > 1 or (box and min(box[2:]) > 1):
            raise ValueError(f"expected a mask with area {area} and bbox {box}, got one without pixels")
        return
    if box and not _is_same_box(_clipped(box, mask.shape), box_of(mask)):
        raise ValueError(
            f"bbox: expected x,y,width,height near the mask's {_written(box_of(mask))}, got {_written(box)}"
            f"{_box_hint(box, annotation, mask)}"
        )
    if area and not _is_same_area(area, mask) and not _is_area_of_box(area, mask):
        raise ValueError(f"area: expected about the mask's {np.count_nonzero(mask)} pixels, got {area:g}")


def oddities(annotation: dict, polygons: object, mask: np.ndarray) -> Iterator[str]:
    """What is strange about an annotation that can be used."""
    area, box = _given_area(annotation), annotation.get("bbox")
    if mask.any() and (area == 0 or box == [0, 0, 0, 0]):
        yield "area or bbox of 0 beside a mask"
    if area and mask.any() and not _is_same_area(area, mask):
        yield "area is that of the box, not of the mask"
    if isinstance(polygons, list) and 1 < len(polygons) <= MOST_COMPARED:
        parts = [decode_polygons([polygon], mask.shape) for polygon in polygons]
        if any(not (a & ~b).any() or not (b & ~a).any() for a, b in combinations(parts, 2)):
            yield "a polygon lies inside another one and changes nothing: COCO's polygons have no holes"


def box_of(mask: np.ndarray) -> tuple[int, int, int, int]:
    """x, y, width, height of the mask's pixels."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1] - columns[0] + 1), int(rows[-1] - rows[0] + 1)


def _given_box(annotation: dict) -> Sequence[float] | None:
    box = annotation.get("bbox")
    if box is None or box == [] or box == [0, 0, 0, 0]:
        return None
    if not (isinstance(box, list) and len(box) == 4 and all(map(_is_number, box)) and min(box[2:]) >= 0):
        raise ValueError(f"bbox: expected x,y,width,height, got {str(box)[:60]}")
    return box


def _given_area(annotation: dict) -> float | None:
    area = annotation.get("area")
    if area is None:
        return None
    if not _is_number(area) or area < 0:
        raise ValueError(f"area: expected a number of pixels, got {str(area)[:60]}")
    return area


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and abs(value) < 1e15


def _clipped(box: Sequence[float], size: tuple[int, int]) -> tuple[float, ...]:
    """The part of the box inside the picture (H, W), as x, y, width, height."""
    left, right = (min(max(x, 0), size[1]) for x in (box[0], box[0] + box[2]))
    top, bottom = (min(max(y, 0), size[0]) for y in (box[1], box[1] + box[3]))
    return left, top, right - left, bottom - top


def _is_same_box(box: Sequence[float], other: Sequence[float]) -> bool:
    margin = max(BOX_MARGIN, BOX_SHARE * max(*box[2:], *other[2:]))
    corners = ((b[0], b[1], b[0] + b[2], b[1] + b[3]) for b in (box, other))
    return all(abs(a - b) <= margin for a, b in zip(*corners, strict=True))


def _is_same_area(area: float, mask: np.ndarray) -> bool:
    pixels = np.count_nonzero(mask)
    border = np.count_nonzero(mask[1:] ^ mask[:-1]) + np.count_nonzero(mask[:, 1:] ^ mask[:, :-1])
    return abs(area - pixels) <= AREA_SHARE * max(area, pixels) + max(border, 4) / 2


def _is_area_of_box(area: float, mask: np.ndarray) -> bool:
    _, _, width, height = box_of(mask)
    return abs(area - width * height) <= AREA_SHARE * area + width + height


def _box_hint(box: Sequence[float], annotation: dict, mask: np.ndarray) -> str:
    """What the box may be instead."""
    x, y, width, height = box
    true, code = box_of(mask), annotation.get("segmentation")
    if max(box) <= 1:
        return " (coordinates from 0 to 1, not pixels?)"
    if _is_same_box((x, y, width - x, height - y), true):
        return " (x1,y1,x2,y2?)"
    if _is_same_box((y, x, height, width), true):
        return " (y,x,height,width?)"
    if isinstance(code, dict) and _is_same_box(_clipped(box, mask.shape), _box_along_rows(code)):
        return " (run lengths that go along the rows, not down the columns?)"
    return ""


def _box_along_rows(code: dict) -> tuple[int, int, int, int]:
    height, width = code["size"]
    return box_of(decode_rle(code).T.reshape(height, width))


def _written(box: Sequence[float]) -> str:
    return ",".join(f"{value:g}" for value in box)
