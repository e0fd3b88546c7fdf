"""YOLO-seg text files: one object in each line, its class and its outline in parts of the picture's width and height.

3 0.10 0.20 0.30 0.20 0.30 0.40        class x1 y1 x2 y2 ...; a last single number is a confidence
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from utils.run_length import decode_polygons
from utils.text_files import read_text

logger = logging.getLogger(__name__)

PLACE = 0.25  # of a pixel, added to its place: readers that cut and readers that round find the same pixel
SLACK = 0.01  # of a side: how far outside of the picture a point may be


@dataclass(frozen=True)
class Outlined:
    """One line: its number from 1, its class, its mask (H, W) bool, and its confidence if it has one."""

    line: int
    class_number: int
    mask: np.ndarray
    confidence: float | None


def read_outlines(path: Path, size: tuple[int, int]) -> list[Outlined]:
    """The objects of a picture of this size (height, width). Raises ValueError naming file and line."""
    lines = read_text(path).splitlines()
    found = [_outlined(number, line, size, path) for number, line in enumerate(lines, 1) if line.strip()]
    if len({one.confidence is None for one in found}) > 1:
        logger.warning("%s: expected a confidence in every line or in none: is a number missing?", path)
    return found


def outline_line(class_number: int, mask: np.ndarray) -> str:
    """The line of a mask (H, W) bool that is not empty, as `read_outlines` reads it.

    Points are places of border pixels, as Ultralytics and supervision write and read them; these two get the mask back
    as it was, readers that measure areas see it half a pixel narrower on every side. One line has one outline: the
    outlines of further parts and of holes are joined to it by the shortest way there and back, which readers that draw
    lines show.
    """
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    path, *others = sorted((outline[:, 0] for outline in outlines), key=len, reverse=True)
    for part in others:
        path = _joined(path, part)
    path = np.concatenate([path, path[-1:].repeat(max(0, 3 - len(path)), 0)])
    shares = (path + PLACE) / mask.shape[::-1]
    return " ".join([str(class_number), *(f"{value:.6f}" for value in shares.ravel())])


def _joined(path: np.ndarray, part: np.ndarray) -> np.ndarray:
    """(n, 2) and (m, 2) points -> (n + m + 2, 2): from the nearest point of the path around the part, and back."""
    nearest = [int(((path - point) ** 2).sum(1).argmin()) for point in part]
    gaps = ((path[nearest] - part) ** 2).sum(1)
    start = int(gaps.argmin())
    place = nearest[start]
    around = np.concatenate([part[start:], part[: start + 1]])
    return np.concatenate([path[: place + 1], around, path[place:]])


def _outlined(number: int, line: str, size: tuple[int, int], path: Path) -> Outlined:
    where = f"{path} line {number}"
    values = _numbers(line, where)
    first, points = values[0], values[1:]
    if first < 0 or first != int(first):
        raise ValueError(f"{where}: expected a class from 0, got {first:g}")
    if len(points) in (4, 5):
        raise ValueError(f"{where}: expected an outline of three points or more, got a box")
    confidence = points.pop() if len(points) % 2 else None
    if len(points) < 6:
        raise ValueError(f"{where}: expected an outline of three points or more, got {len(points)} numbers")
    if confidence is not None and not 0 <= confidence <= 1:
        raise ValueError(
            f"{where}: expected pairs of numbers, or a confidence from 0 to 1 as the last, got {confidence:g}"
        )
    if min(points) < -SLACK or max(points) > 1 + SLACK:
        expected = "points in parts of the picture, from 0 to 1"
        raise ValueError(f"{where}: expected {expected}, got {min(points):g} to {max(points):g}")
    height, width = size
    scaled = [value * (height if place % 2 else width) for place, value in enumerate(points)]
    return Outlined(number, int(first), decode_polygons([scaled], size), confidence)


def _numbers(line: str, where: str) -> list[float]:
    try:
        values = [float(word) for word in line.split()]
    except ValueError:
        values = [math.nan]
    if not all(map(math.isfinite, values)):
        raise ValueError(f"{where}: expected numbers, class x1 y1 x2 y2 ..., got {line.strip()[:60]!r}")
    return values
