"""A scene: two to four objects laid out around the key frame, each with a look, a motion and a sound.

The layout is chosen so that every object could have the motion of every other one: motions may be handed round and the
key frame stays as it is. Who then gets which is chance, and so is who makes which sound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dataset.media.lengths import NUM_FRAMES
from dataset.world.looks import Look
from dataset.world.motions import Motion
from dataset.world.silhouettes import reach
from dataset.world.sounds import Sound

FRAME_SIZE = 224  # pixels, width and height
KEY_FRAMES = (2, 8)  # first one and end (excluded); near neither end, so that growing objects stay in the frame
MARGIN = 3  # pixels between an object and the border of the frame
OVERLAP = 0.5  # largest overlap of two objects, as a part of the smaller radius
NUM_TRIED = 400  # random layouts that are tried for one set of objects


@dataclass(frozen=True)
class Thing:
    """One object of a scene. `x`, `y`: its centre in the key frame, in pixels."""

    look: Look
    x: float
    y: float
    motion: Motion
    sound: Sound | None

    def centre(self, frames_on: float) -> tuple[float, float]:
        """x, y in pixels, `frames_on` frames after the key frame."""
        return self.x + self.motion.dx * frames_on, self.y + self.motion.dy * frames_on

    def area(self, frames_on: float) -> float:
        """Fraction of the frame, including parts that other objects hide."""
        return float(self.look.area * np.exp(2 * self.motion.growth * frames_on))

    def angle(self, frames_on: float) -> float:
        """Clockwise, in radians."""
        return self.look.angle + self.motion.spin * frames_on


@dataclass(frozen=True)
class Scene:
    """Ten frames and ten seconds. A thing hides parts of the things before it in the list."""

    things: tuple[Thing, ...]
    key_frame: int
    paint_seed: int  # decides background and noise

    def handed_round(self, motions: int = 0, sounds: int = 0) -> Scene:
        """The same scene with motions and sounds passed on: each thing gets those of another thing.

        The other thing is `motions` (or `sounds`) places before it in the list, counted in a circle.
        """
        count = len(self.things)
        things = (
            replace(
                thing,
                motion=self.things[(i - motions) % count].motion,
                sound=self.things[(i - sounds) % count].sound,
            )
            for i, thing in enumerate(self.things)
        )
        return replace(self, things=tuple(things))


def draw_scene(
    rng: np.random.Generator, looks: Sequence[Look], motions: Sequence[Motion], sounds: Sequence[Sound | None]
) -> Scene | None:
    """Lay out the objects and give them motions and sounds at random; None if none of the layouts fits.

    `motions` and `sounds` are shuffled first. After the layout is fixed, they are passed on among the objects, so that
    the key frame does not show which object has which of them.
    """
    count, key_frame = len(looks), int(rng.integers(*KEY_FRAMES))
    motions = [motions[i] for i in rng.permutation(count)]
    sounds = [sounds[i] for i in rng.permutation(count)]
    centres = _layout(rng, looks, motions, key_frame)
    if centres is None:
        return None
    things = tuple(
        Thing(look, float(x), float(y), motion, sound)
        for look, (x, y), motion, sound in zip(looks, centres, motions, sounds, strict=True)
    )
    scene = Scene(things, key_frame, int(rng.integers(2**31)))
    return scene.handed_round(motions=int(rng.integers(count)), sounds=int(rng.integers(count)))


def _layout(
    rng: np.random.Generator, looks: Sequence[Look], motions: Sequence[Motion], key_frame: int
) -> np.ndarray | None:
    """(n, 2) centres in the key frame such that there is room for every way of passing on the motions; or None."""
    frames_on = np.arange(NUM_FRAMES) - key_frame
    steps = np.array([[m.dx, m.dy] for m in motions])[:, None] * frames_on[:, None]  # (n, 10, 2)
    growth = np.exp(np.array([m.growth for m in motions])[:, None] * frames_on)  # (n, 10)
    radius = FRAME_SIZE * np.sqrt([look.area for look in looks])
    reaches = radius * [reach(look.category) for look in looks]
    low, high = reaches + MARGIN, FRAME_SIZE - reaches - MARGIN
    tried = low[:, None] + rng.random((NUM_TRIED, len(looks), 2)) * (high - low)[:, None]  # (k, n, 2)
    fits = np.ones(NUM_TRIED, bool)
    for turn in range(len(looks)):
        step, size = np.roll(steps, turn, axis=0), np.roll(growth, turn, axis=0)
        fits[fits] = _fits(tried[fits], step, reaches[:, None] * size, radius[:, None] / np.pi**0.5 * size)
    return tried[np.argmax(fits)] if fits.any() else None


def _fits(centres: np.ndarray, steps: np.ndarray, reaches: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """(k,) bool for k layouts of centres (k, n, 2): all objects stay in the frame, and no two overlap too much.

    `steps` (n, 10, 2) are distances from the key frame's centre. `reaches` (n, 10): distance from an object's centre to
    its farthest corner. `radii` (n, 10): radius of a disc with the object's area.
    """
    paths = centres[:, :, None] + steps  # (k, n, 10, 2)
    inside = (paths >= reaches[..., None] + MARGIN) & (paths <= FRAME_SIZE - reaches[..., None] - MARGIN)
    fits = inside.all(axis=(1, 2, 3))
    for i in range(len(radii)):
        for j in range(i):
            apart = np.linalg.norm(paths[:, i] - paths[:, j], axis=-1)  # (k, 10)
            needed = radii[i] + radii[j] - OVERLAP * np.minimum(radii[i], radii[j])
            fits &= (apart >= needed).all(axis=1)
    return fits
