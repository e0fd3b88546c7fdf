"""How the objects of a scene move.

A motion is relative to the key frame: an object looks the same in the key frame, whatever its motion is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

DIRECTIONS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
CHANGES = ("spinning", "growing", "shrinking")
SPEED = (3.2, 5.2)  # pixels per frame
SLOW, FAST = (1.8, 2.8), (6.5, 8.0)
SPIN = (0.28, 0.4)  # radians per frame
GROWTH = 0.035  # log of the growth per frame; 1.4 times the size after ten frames
SLANT = 0.2  # radians; largest deviation from the direction
KINDS = (*DIRECTIONS, *CHANGES, "still")
FACETS = (*KINDS, "fastest")


@dataclass(frozen=True)
class Motion:
    """Changes from one frame to the next. `kind`: a direction, a change without moving, or "still"."""

    kind: str
    dx: float = 0.0  # pixels, to the right
    dy: float = 0.0  # pixels, downwards
    spin: float = 0.0  # radians, clockwise
    growth: float = 0.0  # size (not area) is multiplied by exp(growth)

    @property
    def speed(self) -> float:
        """Pixels per frame."""
        return float(np.hypot(self.dx, self.dy))


def draw_motions(rng: np.random.Generator, count: int, facet: str | None = None) -> list[Motion]:
    """A motion for each of `count` objects. If `facet` is given, it is true of the first object only."""
    if facet == "fastest":
        directions = rng.choice(list(DIRECTIONS), count)
        return [_draw(rng, str(kind), SLOW if i else FAST) for i, kind in enumerate(directions)]
    others = [kind for kind in KINDS if kind != facet]
    kinds = [str(kind) for kind in rng.choice(others, count)]
    if facet:
        kinds[0] = facet
    return [_draw(rng, kind, SPEED) for kind in kinds]


def _draw(rng: np.random.Generator, kind: str, speed: tuple[float, float]) -> Motion:
    if kind in DIRECTIONS:
        x, y = DIRECTIONS[kind]
        angle = np.arctan2(y, x) + rng.uniform(-SLANT, SLANT)
        length = rng.uniform(*speed)
        return Motion(kind, float(length * np.cos(angle)), float(length * np.sin(angle)))
    if kind == "spinning":
        return Motion(kind, spin=float(rng.uniform(*SPIN) * rng.choice((-1, 1))))
    if kind in ("growing", "shrinking"):
        return Motion(kind, growth=GROWTH if kind == "growing" else -GROWTH)
    return Motion(kind)
