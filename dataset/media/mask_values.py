"""What a picture means as a mask: its values -> which pixels are inside, and what is doubtful about it.

A mask is black outside and has one other value inside, of any depth and colour, or it is opaque inside and transparent
outside. Lossy files and smoothed edges blur the two values: they are told apart at half the way, with a doubt. What has
several values away from the edges (labels, probabilities, a picture) is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

NEAR = 1 / 8  # of the highest value: so far from black or from it a value may be without being between them
FEW = 16  # so many colours are labels or drawings; photos have more
FEW_GREYS = 8
LOWEST_TOP = 64  # whole numbers below it are labels, not shades of grey
EDGE = 8  # pixels on each side of an edge that may be smoothed; in large pictures 1/32 of the shorter side
MOST_BETWEEN = 0.25  # share of pixels; where more are between, it is a picture
FLAT = np.ones((3, 3), np.uint8)


class MaskReading(NamedTuple):
    """`inside` (H, W) bool. `doubt`: a sentence, or None where there is nothing to doubt."""

    inside: np.ndarray
    doubt: str | None = None


def read_values(pixels: np.ndarray) -> MaskReading:
    """(H, W) or (H, W, channels) of any number type; 2 or 4 channels end with the opacity.

    Raises ValueError for what is no mask.
    """
    if pixels.ndim == 3 and pixels.shape[2] in (2, 4):
        colours, opacity = pixels[..., :-1], pixels[..., -1]
        reading = _opaque_or_not(colours, opacity)
    else:
        reading = _coloured(pixels)
    for doubt in doubts_of_inside(reading.inside):
        reading = _with(reading, doubt)
    return reading


def doubts_of_inside(inside: np.ndarray) -> Iterator[str]:
    """What is doubtful about a mask (H, W) bool of any source."""
    if inside.all():
        yield "it covers the whole picture"
    elif _surrounds(inside):
        yield "inside is all along the border and around what is outside: is it inverted?"


def _with(reading: MaskReading, doubt: str) -> MaskReading:
    return MaskReading(reading.inside, f"{reading.doubt}; {doubt}" if reading.doubt else doubt)


def _surrounds(inside: np.ndarray) -> bool:
    border = (inside[0], inside[-1], inside[:, 0], inside[:, -1])
    return all(side.all() for side in border)


def _opaque_or_not(colours: np.ndarray, opacity: np.ndarray) -> MaskReading:
    lowest, highest = float(opacity.min()), float(opacity.max())
    if highest == 0:
        raise ValueError("expected a mask that can be seen, got one that is transparent everywhere")
    if lowest == highest or lowest >= (1 - NEAR) * highest:
        return _coloured(colours)
    try:
        reading = _graded(opacity)
    except ValueError as error:
        raise ValueError(f"transparency: {error}") from None
    _check_opaque(colours[opacity == opacity.max()])
    return _with(reading, "what is not transparent is inside, whatever its colour")


def _check_opaque(shown: np.ndarray) -> None:
    """(n, channels) colours of the object. They may be a picture, but not another mask. Raises ValueError."""
    brightness = shown.max(axis=1) / max(1, np.iinfo(shown.dtype).max)
    dark, bright = np.mean(brightness <= NEAR), np.mean(brightness >= 1 - NEAR)
    spread = (shown.max(axis=0).astype(float) - shown.min(axis=0)).max() / np.iinfo(shown.dtype).max
    count = len(np.unique(_packed(shown)))
    if spread <= NEAR:
        return  # one colour
    if min(dark, bright) > 0.01 and dark + bright > 0.95:
        raise ValueError("expected one object, got black and white where it is opaque, and something else around it")
    if count <= FEW:
        raise ValueError(f"expected one object in one colour, got {count} colours where it is opaque")


def _packed(colours: np.ndarray) -> np.ndarray:
    """Each colour (..., channels) as one number."""
    packed = np.zeros(colours.shape[:-1], np.int64)
    for channel in range(colours.shape[-1]):
        packed = packed << 16 | colours[..., channel]
    return packed


def _coloured(pixels: np.ndarray) -> MaskReading:
    if pixels.ndim == 2:
        return _graded(pixels)
    first = pixels[..., 0]
    if all(np.array_equal(first, pixels[..., channel]) for channel in range(1, pixels.shape[2])):
        return _graded(first)
    packed = _packed(pixels)
    values, counts = np.unique(packed, return_counts=True)
    if len(values) <= 2 and values[0] == 0:
        return MaskReading(packed > 0)
    return _of_one_colour(pixels.astype(np.float64), packed, values, counts)


def _of_one_colour(pixels: np.ndarray, packed: np.ndarray, values: np.ndarray, counts: np.ndarray) -> MaskReading:
    """How far each pixel is on the way from black to the most frequent colour; pixels off this way are strange."""
    bright = np.array([pixels[packed == value][0].max() for value in values[np.argsort(counts)[-FEW:]]])
    often = values[np.argsort(counts)[-FEW:]][bright > NEAR * pixels.max()]
    if not len(often):
        raise ValueError(f"expected black and one other colour, got {len(values)} colours")
    colour = pixels[packed == often[-1]][0]
    way = np.clip(pixels @ colour / (colour @ colour), 0, 1)
    strange = np.abs(pixels - way[..., None] * colour).max(axis=2) > 1.5 * NEAR * colour.max()
    if 2 * np.count_nonzero(strange) > np.count_nonzero(way > NEAR):
        raise ValueError(f"expected black and one other colour, got {len(values)} colours, as a picture has them")
    return _graded(way, strange, f"{len(values)} colours")


def _graded(values: np.ndarray, strange: np.ndarray | None = None, counted: str = "") -> MaskReading:
    """(H, W) numbers, from black to the highest. `strange`: pixels that are neither. Raises ValueError."""
    low, high = values.min(), values.max()  # NaN, if there is one
    if not (low >= 0 and np.isfinite(high)):
        raise ValueError(f"expected values from 0, got {low}")
    if high == 0 or (low == high and strange is None):
        return MaskReading(values > 0)
    inside = values == high
    if strange is None and low == 0 and np.count_nonzero(inside) == np.count_nonzero(values):
        return MaskReading(inside)
    if low > NEAR * high:
        raise ValueError(f"expected black outside the object, got {counted or f'values from {low:g} to {high:g}'}")
    share = values / float(high)
    inside, between = share >= 0.5, (share > NEAR) & (share < 1 - NEAR)
    if strange is None:
        counted = _check_labels(values)
    else:
        between |= strange
    away = int(np.count_nonzero(between & ~_edges(inside)))
    if away or between.mean() > MOST_BETWEEN:
        away = away or int(np.count_nonzero(between))
        text = f"expected black and one other value, got {counted}, of which {away} pixels are no smooth edge"
        raise ValueError(f"{text}; give each object a mask of its own, and cut probabilities at a threshold")
    return MaskReading(inside, f"expected black and one other value, got {counted}; from half the highest on is inside")


def _check_labels(values: np.ndarray) -> str:
    """How many values there are, as text. Raises ValueError where they are numbers of objects, not shades."""
    distinct = np.unique(values)
    counted = f"{len(distinct)} values"
    listed = ", ".join(f"{value:g}" for value in distinct[:6]) + (", ..." if len(distinct) > 6 else "")
    is_low = np.issubdtype(values.dtype, np.integer) and distinct[-1] < LOWEST_TOP
    labels = is_low or any(_has_areas(values == value) for value in _possible_labels(distinct))
    if labels or _has_one_value_each(values, distinct):
        raise ValueError(f"expected black and one other value, got {counted} ({listed}); give each object its own mask")
    return counted


def _possible_labels(distinct: np.ndarray) -> np.ndarray:
    """A few shades between, or, where there are none, small numbers beside a highest one that marks borders."""
    top = distinct[-1]
    between = distinct[(distinct > NEAR * top) & (distinct < (1 - NEAR) * top)]
    small = distinct[(distinct > 0) & (distinct <= NEAR * top)]
    if not len(between) and distinct[0] == 0 and len(small) == len(distinct) - 2:
        between = small
    return between if len(between) <= FEW_GREYS else between[:0]


def _has_one_value_each(values: np.ndarray, distinct: np.ndarray) -> bool:
    """Whether several high values, such as 254 and 255, are objects: nothing is blurred, or no two share an object."""
    high = distinct[distinct >= (1 - NEAR) * distinct[-1]]
    areas = [values == value for value in high] if len(high) <= FEW_GREYS else []
    areas = [area for area in areas if _has_areas(area)]
    if len(areas) < 2 or (distinct[0] == 0 and len(high) == len(distinct) - 1):
        return len(areas) > 1
    _, parts = cv2.connectedComponents((2 * values >= distinct[-1]).view(np.uint8), connectivity=8)
    found = [np.unique(parts[area]) for area in areas]
    return sum(map(len, found)) == len(np.unique(np.concatenate(found)))


def _has_areas(area: np.ndarray) -> bool:
    """Whether a square of 3 x 3 pixels fits into it."""
    return bool(cv2.erode(area.view(np.uint8), FLAT, borderType=cv2.BORDER_CONSTANT, borderValue=0).any())


def _edges(inside: np.ndarray) -> np.ndarray:
    """(H, W) bool: near to both sides."""
    reach = max(EDGE, min(inside.shape) // 32)
    square = np.ones((2 * reach + 1,) * 2, np.uint8)
    grown, shrunk = (change(inside.view(np.uint8), square) for change in (cv2.dilate, cv2.erode))
    return (grown & ~shrunk).view(bool)
