"""Cutout, dilate and erode: a ground-truth mask -> a mask with the wanted IoU (paper Sec. 3.2, Eq. 4-6).

Dilating or eroding with a growing structuring element adds or removes pixels in the order of their distance. So the
size of the element need not be searched step by step: the wanted IoU gives the number of pixels, the distances are
computed once, and the pixels with the smallest distances are taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

NEXT_TO_CONTOUR = 1.5  # pixels up to this distance belong to the contour; 1.4 is the distance of a diagonal neighbour
RIM = 0.03  # width of the rim that a cutout keeps, if it can, as a part of the square root of the object's area
PART_OF_CONTOUR = (0.4, 0.65)  # share of the contour that a local edit follows
TRIES = 8  # erosions that are tried until one does not split the object
SPECK = 0.01  # erosion ignores holes in the ground truth that are smaller than this share of its area


class OutOfReach(ValueError):
    """The wanted IoU cannot be reached: the object is too small, or the frame has too little room around it."""


@dataclass(frozen=True)
class Band:
    """A range of IoU, both ends included, in whole percent, so that pixel counts are exact integers."""

    low: int
    high: int

    def removals(self, area: int) -> range:
        """How many of `area` pixels may be removed: IoU = (area - n) / area."""
        return range(-(-area * (100 - self.high) // 100), area * (100 - self.low) // 100 + 1)

    def additions(self, area: int) -> range:
        """How many pixels may be added: IoU = area / (area + n)."""
        return range(-(-area * (100 - self.high) // self.high), area * (100 - self.low) // self.low + 1)


class Shape:
    """A ground-truth object. Properties that several edits need are computed once.

    Raises ValueError for an empty mask.
    """

    def __init__(self, gt: np.ndarray):
        self.gt = np.ascontiguousarray(gt, dtype=bool)
        self.area = int(np.count_nonzero(self.gt))
        if not self.area:
            raise ValueError("ground-truth mask: expected an object, got an empty mask")
        rows, columns = np.flatnonzero(self.gt.any(axis=1)), np.flatnonzero(self.gt.any(axis=0))
        self._box = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1

    def window(self, margin: int) -> tuple[slice, slice]:
        """Rows and columns of the frame that hold the object and `margin` pixels around it."""
        top, bottom, left, right = (int(edge) for edge in self._box)
        return slice(max(0, top - margin), bottom + margin), slice(max(0, left - margin), right + margin)

    @cached_property
    def depth(self) -> np.ndarray:
        """Distance of each pixel in `window(0)` to the nearest pixel outside the object or outside the frame."""
        padded = cv2.copyMakeBorder(self.gt[self.window(0)].view(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
        return cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1]

    @cached_property
    def pieces(self) -> int:
        """Number of connected parts of the object."""
        return count_pieces(self.gt[self.window(0)])

    @cached_property
    def eroding(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Three things: where erosion starts, the contour next to it, and the contour that faces the background.

        The first is bool, True outside the object, for `window(1)` or one pixel more on each side. Small holes in the
        object are ignored. The border of the frame belongs to the outside only if most of the outline lies on it.
        """
        background = (~self.gt[self.window(1)]).view(np.uint8)
        around = cv2.copyMakeBorder(background, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
        _, labels, stats, _ = cv2.connectedComponentsWithStats(around, connectivity=4)
        specks = [i for i in range(2, len(stats)) if stats[i, cv2.CC_STAT_AREA] < SPECK * self.area]
        around = around.view(bool) & ~np.isin(labels, specks) if specks else around.view(bool)
        outline, contour = self.contour(around), self.contour(around[1:-1, 1:-1])
        if 2 * len(contour) >= len(outline):
            return around[1:-1, 1:-1], contour, contour
        return around, outline, contour if len(contour) else outline

    def contour(self, around: np.ndarray) -> np.ndarray:
        """(N, 2) row and column in the frame: the object's pixels next to `around`, the first result of `eroding`."""
        window = self.window(1)
        near = cv2.dilate(np.ascontiguousarray(around).view(np.uint8), np.ones((3, 3), np.uint8)).view(bool)
        border = (near.shape[0] - self.gt[window].shape[0]) // 2
        inner = tuple(slice(border, size - border) for size in near.shape)
        return _places(near[inner] & self.gt[window]) + [edge.start for edge in window]


def cutout(shape: Shape, band: Band, rng: np.random.Generator) -> np.ndarray:
    """(H, W) bool: the object with one to four rectangular or elliptical holes that do not touch its contour.

    Raises OutOfReach when too few pixels lie inside the contour.
    """
    depth = shape.depth
    deep = np.sort(depth[depth > NEXT_TO_CONTOUR])[::-1]
    count = _draw(band.removals(shape.area), len(deep), rng)
    # The rim is narrower than wanted if the holes would otherwise fill more than half of the pixels inside it.
    rim = min(max(RIM * shape.area**0.5, NEXT_TO_CONTOUR), deep[min(2 * count, len(deep)) - 1])
    interior = depth >= rim
    return shape.gt & ~_in_frame(shape, shape.window(0), _smallest(_hole_sizes(depth, interior, rng), interior, count))


def _hole_sizes(depth: np.ndarray, interior: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(h, w) float32: the size at which the first of the growing holes reaches each pixel. All holes grow together."""
    places = np.flatnonzero(interior)
    rows, columns = (np.arange(n, dtype=np.float32) for n in interior.shape)
    sizes = np.full(interior.shape, np.inf, np.float32)
    for _ in range(rng.integers(1, 5)):
        tried = places[rng.integers(0, len(places), 4)]
        row, column = divmod(int(tried[np.argmax(depth.ravel()[tried])]), interior.shape[1])
        stretch = np.float32(np.exp(rng.uniform(-0.6, 0.6)))
        weight = np.float32(rng.uniform(0.6, 1.0))
        down, across = np.abs(rows - row) * stretch / weight, np.abs(columns - column) / stretch / weight
        if rng.random() < 0.5:
            hole = np.maximum(down[:, None], across[None, :])
        else:
            hole = np.sqrt(np.square(down)[:, None] + np.square(across)[None, :])
        np.minimum(sizes, hole, out=sizes)
    return sizes


def dilate(shape: Shape, band: Band, rng: np.random.Generator) -> np.ndarray:
    """(H, W) bool: the object, grown along its whole contour or along a part of it.

    Raises OutOfReach when the frame has too few pixels around the object.
    """
    count = _draw(band.additions(shape.area), shape.gt.size - shape.area, rng)
    contour, metric = shape.contour(~shape.gt[shape.window(1)]), _metric(rng)
    part = _Part(contour, contour, rng)
    for margin in (int(0.35 * shape.area**0.5) + 4, max(shape.gt.shape)):
        window = shape.window(margin)
        outside = ~shape.gt[window]
        if np.count_nonzero(outside) < count:
            continue
        distance = part.distance(~outside, window, metric)
        grown = _smallest(distance, outside, count, part.anchor_in(window))
        if distance[grown].max() < margin - 1:
            break
    return shape.gt | _in_frame(shape, window, grown)


def erode(shape: Shape, band: Band, rng: np.random.Generator) -> np.ndarray:
    """(H, W) bool: the object, shrunk along its whole contour or along a part of it, split as little as possible.

    Raises OutOfReach when no pixel count lies in the band.
    """
    count = _draw(band.removals(shape.area), shape.area - 1, rng)
    best, fewest = None, None
    for _ in range(TRIES):
        left = _eroded(shape, count, rng)
        pieces = count_pieces(left)
        if fewest is None or pieces < fewest:
            best, fewest = left, pieces
        if pieces <= shape.pieces:
            break
    return _in_frame(shape, shape.window(1), best)


def _eroded(shape: Shape, count: int, rng: np.random.Generator) -> np.ndarray:
    """(h, w) bool in `window(1)`: the object without `count` pixels."""
    around, contour, facing_background = shape.eroding
    window = shape.window(1)
    inside = shape.gt[window]
    part = _Part(contour, facing_background, rng)
    border = (around.shape[0] - inside.shape[0]) // 2
    distance = part.distance(around, window, _metric(rng), border)
    return inside & ~_smallest(distance, inside, count, part.anchor_in(window))


def count_pieces(mask: np.ndarray) -> int:
    """Number of 8-connected parts of a mask."""
    return cv2.connectedComponents(np.ascontiguousarray(mask).view(np.uint8), connectivity=8)[0] - 1


def _draw(counts: range, available: int, rng: np.random.Generator) -> int:
    """One of the pixel counts, drawn uniformly. Raises OutOfReach when fewer pixels are available than the smallest."""
    if not len(counts):
        raise OutOfReach("no whole number of pixels gives an IoU in the band")
    if counts.start > available:
        raise OutOfReach(f"at least {counts.start} pixels to change, {available} can be")
    return int(rng.integers(counts.start, min(counts.stop, available + 1)))


def _metric(rng: np.random.Generator) -> int:
    """The distance that a round (DIST_L2) or a square (DIST_C) structuring element stands for."""
    return cv2.DIST_L2 if rng.random() < 0.7 else cv2.DIST_C


class _Part:
    """The part of a contour that an edit follows: all of it, or the pixels within `reach` of a random anchor."""

    def __init__(self, contour: np.ndarray, anchors: np.ndarray, rng: np.random.Generator):
        self.anchor = anchors[rng.integers(len(anchors))]
        self.reach = None
        if rng.random() < 0.5:
            away = np.sort(np.square(contour - self.anchor).sum(axis=1))
            self.reach = int(np.ceil(away[int(rng.uniform(*PART_OF_CONTOUR) * (len(away) - 1))] ** 0.5)) + 1

    def anchor_in(self, window: tuple[slice, slice]) -> np.ndarray:
        return self.anchor - [edge.start for edge in window]

    def distance(self, sources: np.ndarray, window: tuple[slice, slice], metric: int, border: int = 0) -> np.ndarray:
        """(h, w) float32 in the window: distance to the nearest source of this part.

        `sources` has `border` more rows and columns than the window on each side.
        """
        if self.reach is not None:
            row, column = (int(x) + border for x in self.anchor_in(window))
            disc = cv2.circle(np.zeros(sources.shape, np.uint8), (column, row), self.reach, 1, cv2.FILLED)
            sources = sources & disc.view(bool)
        distance = cv2.distanceTransform((~sources).view(np.uint8), metric, 5 if metric == cv2.DIST_L2 else 3)
        return distance[border : distance.shape[0] - border, border : distance.shape[1] - border]


def _smallest(values: np.ndarray, allowed: np.ndarray, count: int, anchor: np.ndarray | None = None) -> np.ndarray:
    """(h, w) bool: the `count` allowed pixels with the smallest values. Of equal values, the nearest to the anchor."""
    limit = np.partition(values[allowed], count - 1)[count - 1]
    chosen = allowed & (values < limit)
    ties = _places(allowed & (values == limit))
    missing = count - np.count_nonzero(chosen)
    if missing < len(ties):
        away = np.square(ties - (ties[0] if anchor is None else anchor)).sum(axis=1)
        ties = ties[np.argsort(away, kind="stable")[:missing]]
    chosen[tuple(ties.T)] = True
    return chosen


def _places(mask: np.ndarray) -> np.ndarray:
    """(N, 2) row and column of the True pixels. Like np.argwhere, but several times faster."""
    return np.stack(np.divmod(np.flatnonzero(mask), mask.shape[1]), axis=1)


def _in_frame(shape: Shape, window: tuple[slice, slice], part: np.ndarray) -> np.ndarray:
    whole = np.zeros_like(shape.gt)
    whole[window] = part
    return whole
