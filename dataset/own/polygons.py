"""YOLO-seg text files: one object in each line, its class and its outline in parts of the picture's width and height.

3 0.10 0.20 0.30 0.20 0.30 0.40        class x1 y1 x2 y2 ...; a last single number is a confidence
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from utils.run_length import decode_polygons
from utils.text_files import read_text

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
    return [_outlined(number, line, size, path) for number, line in enumerate(lines, 1) if line.strip()]


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
