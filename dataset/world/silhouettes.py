"""The object categories of the world and their outlines. Training and test_s have SEEN ones, test_u UNSEEN ones."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

# Corners are (x, y), y downwards. Units do not matter: `outline` scales every outline to an area of 1.
_ANGLES = np.linspace(0, 2 * np.pi, 120, endpoint=False)


def _polar(radius: np.ndarray) -> np.ndarray:
    return np.stack([radius * np.sin(_ANGLES), -radius * np.cos(_ANGLES)], axis=1)


def _star(points: int, inner: float) -> np.ndarray:
    angles = np.pi / points * np.arange(2 * points)
    radius = np.where(np.arange(2 * points) % 2, inner, 1.0)
    return np.stack([radius * np.sin(angles), -radius * np.cos(angles)], axis=1)


def _disc_and(*parts: np.ndarray, discs: tuple[tuple[float, float, float], ...] = ()) -> np.ndarray:
    """The outline of several polygons and discs (x, y, radius) drawn together."""
    scale, canvas = 200, np.zeros((1000, 1000), np.uint8)
    for part in parts:
        cv2.fillPoly(canvas, [np.round(part * scale + 500).astype(np.int32)], 1)
    for x, y, radius in discs:
        cv2.circle(canvas, (round(x * scale + 500), round(y * scale + 500)), round(radius * scale), 1, cv2.FILLED)
    contours, _ = cv2.findContours(canvas, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(contours, key=cv2.contourArea)[:, 0, :].astype(float)
    return outline[:: max(1, len(outline) // 150)]


def _polygon(*corners: tuple[float, float]) -> np.ndarray:
    return np.array(corners, dtype=float)


def _mirrored(*right: tuple[float, float]) -> np.ndarray:
    """The corners of the right half, from top to bottom, and their mirror images."""
    return np.array([*right, *((-x, y) for x, y in reversed(right))], dtype=float)


def _heart() -> np.ndarray:
    x = 16 * np.sin(_ANGLES) ** 3
    y = 13 * np.cos(_ANGLES) - 5 * np.cos(2 * _ANGLES) - 2 * np.cos(3 * _ANGLES) - np.cos(4 * _ANGLES)
    return np.stack([x, -y], axis=1)


def _moon() -> np.ndarray:
    outer = np.linspace(np.pi * 0.28, np.pi * 1.72, 60)
    tips = np.stack([np.cos(outer), np.sin(outer)], axis=1)
    inner = np.linspace(tips[-1, 1], tips[0, 1], 40)
    return np.concatenate([tips, np.stack([tips[0, 0] - 0.75 * (1 - (inner / tips[0, 1]) ** 2), inner], axis=1)])


def _leaf() -> np.ndarray:
    y = np.linspace(-1, 1, 40)
    half = 0.62 * (1 - y**2) ** 0.9 * (1 + 0.25 * y)
    stalk = _polygon((0.07, 1.0), (0.07, 1.25), (-0.07, 1.25), (-0.07, 1.0))
    return np.concatenate([np.stack([half, y], axis=1), stalk, np.stack([-half, y], axis=1)[::-1]])


def _outlines() -> dict[str, np.ndarray]:
    return {
        "wheel": _polar(1 + 0.11 * np.sign(np.sin(9 * _ANGLES))),
        "star": _star(5, 0.55),
        "box": _polygon((-1, -1), (1, -1), (1, 1), (-1, 1)),
        "drop": _disc_and(_mirrored((0, -1.75), (0.42, -0.85), (0.78, -0.2)), discs=((0, 0.15, 0.85),)),
        "leaf": _leaf(),
        "moon": _moon(),
        "heart": _heart(),
        "arrow": _mirrored((0, -1.2), (1.0, -0.1), (0.45, -0.1), (0.45, 1.0)),
        "bell": _disc_and(
            _mirrored((0.25, -0.8), (0.55, -0.5), (0.65, 0.3), (1.0, 0.75)), discs=((0, -0.75, 0.3), (0, 0.8, 0.25))
        ),
        "cross": _mirrored((0.4, -1.1), (0.4, -0.4), (1.1, -0.4), (1.1, 0.4), (0.4, 0.4), (0.4, 1.1)),
        "fish": _disc_and(
            np.stack([1.05 * np.sin(_ANGLES), 0.68 * np.cos(_ANGLES)], axis=1),
            _polygon((0.6, 0), (1.45, -0.6), (1.45, 0.6)),
        ),
        "house": _mirrored((0, -1.2), (1.05, -0.25), (0.8, -0.25), (0.8, 1.0)),
        "bottle": _mirrored((0.3, -1.35), (0.3, -0.65), (0.7, -0.2), (0.7, 1.2)),
        "flower": _polar(1 + 0.28 * np.cos(6 * _ANGLES)),
        "cloud": _disc_and(
            _mirrored((0.9, 0.1), (0.9, 0.6)),
            discs=((-0.9, 0.15, 0.46), (-0.35, -0.25, 0.55), (0.4, -0.2, 0.5), (0.95, 0.15, 0.45)),
        ),
        "mushroom": _disc_and(
            np.stack([np.cos(_ANGLES[:61]), -0.95 * np.sin(_ANGLES[:61])], axis=1) * 1.1,
            _mirrored((0.42, -0.1), (0.5, 1.0)),
        ),
        "crown": _polygon((-1, 0.8), (-1.1, -0.7), (-0.5, 0), (0, -1), (0.5, 0), (1.1, -0.7), (1, 0.8)),
        "boat": _polygon(
            (-1.2, 0.35), (0, 0.35), (0, -1.2), (0.9, 0.15), (0.2, 0.35), (1.2, 0.35), (0.75, 1), (-0.75, 1)
        ),
    }


SEEN = ("wheel", "star", "box", "drop", "leaf", "moon", "heart", "arrow", "bell", "cross", "fish", "house")
UNSEEN = ("bottle", "flower", "cloud", "mushroom", "crown", "boat")


@cache
def outline(category: str) -> np.ndarray:
    """(N, 2) float x, y of the corners, y downwards, around (0, 0) and with an area of 1."""
    corners = _outlines()[category].astype(np.float32)
    moments = cv2.moments(corners.reshape(-1, 1, 2))
    centre = np.array([moments["m10"], moments["m01"]]) / moments["m00"]
    return (corners - centre) / abs(moments["m00"]) ** 0.5


@cache
def reach(category: str) -> float:
    """Distance of the farthest corner from the centre, for an outline of area 1."""
    return float(np.linalg.norm(outline(category), axis=1).max())
