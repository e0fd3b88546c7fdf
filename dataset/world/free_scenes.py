"""Scenes for pretraining, and rough regions of their objects.

They are drawn from other random numbers than the scenes of a benchmark, so no scene is in both.
"""

from __future__ import annotations

import cv2
import numpy as np

from dataset.world import motions, sounds
from dataset.world.descriptions import HOLES, NARROWER, WIDER
from dataset.world.looks import draw_looks
from dataset.world.reference import FACETS, Reference, references
from dataset.world.scenes import Scene, draw_scene
from dataset.world.silhouettes import SEEN


def free_scene(seed: int, number: int) -> Scene:
    """The pretraining scene with this seed and number (from 0). It has seen categories only."""
    rng = np.random.default_rng([seed, number])
    while True:
        looks = draw_looks(rng, SEEN)
        motion_facet = [None, *motions.FACETS][rng.integers(len(motions.FACETS) + 1)]
        sound_facet = [None, *sounds.FACETS][rng.integers(len(sounds.FACETS) + 1)]
        moved = motions.draw_motions(rng, len(looks), motion_facet)
        scene = draw_scene(rng, looks, moved, sounds.draw_sounds(rng, len(looks), sound_facet))
        if scene is not None:
            return scene


def all_references(scene: Scene) -> dict[str, list[Reference]]:
    """All references that are true of one object of the scene only, by kind."""
    return {kind: [ref for facet in FACETS[kind] for ref in references(scene, kind, facet)] for kind in FACETS}


def rough_region(rng: np.random.Generator, region: np.ndarray) -> tuple[np.ndarray, str | None]:
    """(H, W) bool -> the region unchanged, with missing pieces, wider, or narrower; each with probability 1/4.

    Also returns what was done, as in `descriptions.STATES`. How much is changed has nothing to do with the IoU bands of
    a benchmark.
    """
    draw = rng.random()
    radius = np.sqrt(region.sum() / np.pi)
    if draw < 0.25 or radius < 1:
        return region, None
    if draw < 0.5:
        return region & ~_pieces(rng, region, radius), HOLES
    change, most, state = (cv2.dilate, 0.15, WIDER) if draw < 0.75 else (cv2.erode, 0.12, NARROWER)
    width = 2 * max(1, int(radius * rng.uniform(0.02, most))) + 1
    shape = cv2.getStructuringElement(int(rng.integers(3)), (width, width))
    return change(region.astype(np.uint8), shape) > 0, state


def _pieces(rng: np.random.Generator, region: np.ndarray, radius: float) -> np.ndarray:
    """One to four discs or squares around pixels of the region."""
    canvas = np.zeros(region.shape, np.uint8)
    rows, columns = np.nonzero(region)
    for _ in range(rng.integers(1, 5)):
        at, size = rng.integers(len(rows)), max(1, int(radius * rng.uniform(0.1, 0.35)))
        x, y = int(columns[at]), int(rows[at])
        if rng.random() < 0.5:
            cv2.circle(canvas, (x, y), size, 1, cv2.FILLED)
        else:
            cv2.rectangle(canvas, (x - size, y - size), (x + size, y + size), 1, cv2.FILLED)
    return canvas > 0
