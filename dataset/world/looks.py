"""How the objects of a scene look: category, colour, texture and size.

Two objects may have the same colour or category, so an expression may need both words: "the red wheel". No two objects
have the same texture, because the texture decides how an object sounds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

COLOURS = {
    "red": (214, 40, 40),
    "orange": (246, 140, 30),
    "yellow": (250, 220, 50),
    "green": (50, 165, 70),
    "cyan": (60, 205, 215),
    "blue": (40, 85, 210),
    "purple": (135, 55, 175),
    "brown": (130, 80, 45),
}
TEXTURES = ("plain", "striped", "dotted", "checked", "ringed", "zigzag")
SHARES = 0.4  # probability that an object has the colour (or the category) of another one

# An object's area is the base area divided by a number from STEPS. Most areas of a scene differ by less than a factor
# of three. A big object merged with a tiny one has an IoU above 0.9, a larger one merged with a small one 0.75 to 0.9.
BASE = (0.1, 0.12)  # fraction of the frame
STEPS = {"big": (1.0, 1.0), "middle": (2.1, 2.8), "small": (4.2, 6.0), "tiny": (9.4, 10.4)}
PROFILES = {
    2: (("big", "tiny"), ("big", "small"), ("big", "middle"), ("middle", "small")),
    3: (
        ("big", "middle", "middle"),
        ("big", "middle", "small"),
        ("middle", "middle", "small"),
        ("big", "small", "tiny"),
        ("big", "middle", "tiny"),
    ),
    4: (
        ("big", "middle", "middle", "small"),
        ("big", "middle", "small", "tiny"),
        ("middle", "middle", "small", "small"),
        ("big", "middle", "middle", "tiny"),
    ),
}
NUM_OBJECTS = {2: 0.2, 3: 0.5, 4: 0.3}  # number of objects -> its probability


@dataclass(frozen=True)
class Look:
    """One object in the key frame. `area`: fraction of the frame, including hidden parts; `angle`: in radians."""

    category: str
    colour: str
    texture: str
    area: float
    angle: float


def draw_looks(rng: np.random.Generator, categories: tuple[str, ...]) -> list[Look]:
    """The looks of two to four objects, in random order."""
    count = int(rng.choice(list(NUM_OBJECTS), p=list(NUM_OBJECTS.values())))
    base = rng.uniform(*BASE)
    profile = PROFILES[count][rng.integers(len(PROFILES[count]))]
    areas = rng.permutation([base / rng.uniform(*STEPS[step]) for step in profile])
    textures = rng.permutation(TEXTURES)[:count]
    colours, kinds = _draw_shared(rng, tuple(COLOURS), count), _draw_shared(rng, categories, count)
    angles = rng.uniform(-0.25, 0.25, count)
    looks = [Look(kinds[i], colours[i], str(textures[i]), float(areas[i]), float(angles[i])) for i in range(count)]
    return [looks[i] for i in rng.permutation(count)]


def _draw_shared(rng: np.random.Generator, values: tuple[str, ...], count: int) -> list[str]:
    drawn: list[str] = []
    for value in rng.permutation(values)[:count]:
        shared = drawn and rng.random() < SHARES
        drawn.append(drawn[rng.integers(len(drawn))] if shared else str(value))
    return drawn
