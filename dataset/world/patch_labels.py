"""Labels for each patch of a picture, from which the mini vision encoder learns.

Pictures are frames, masked frames and masks. Masked frames and masks show one or more objects, whole or roughly cut.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from dataset.world.descriptions import STATES, WHOLE, say_state, turned
from dataset.world.free_scenes import rough_region
from dataset.world.looks import COLOURS, TEXTURES
from dataset.world.render import MIN_RIM, RIM
from dataset.world.scenes import FRAME_SIZE, Scene
from dataset.world.silhouettes import SEEN

PATCH = 16
GRID = FRAME_SIZE // PATCH
LOOKS = {"colour": tuple(COLOURS), "texture": TEXTURES, "category": SEEN}
SHARES = ("inner part", "rim", "background", "black", "white")  # what the pixels of a patch show
GEOMETRY = ("to_centre_x", "to_centre_y", "log_area", "centre_x", "centre_y")  # of the object in a patch
CUTS = (WHOLE, *STATES)  # how the object is cut out
MIN_PIXELS = 25  # a patch has an object if more of its pixels belong to it
NOTHING = -100  # no label


@dataclass(frozen=True)
class LabelledPicture:
    """A picture, and labels of its 14 x 14 patches."""

    picture: np.ndarray  # (224, 224, 3) uint8
    shares: np.ndarray  # (14, 14, 5) float32, in the order of SHARES
    looks: np.ndarray  # (14, 14, 3) indices into the names of LOOKS, or NOTHING
    geometry: np.ndarray  # (14, 14, 5) float32, in the order of GEOMETRY
    turned: np.ndarray  # (14, 14) 0 or 1, or NOTHING where it is partly turned
    cut: np.ndarray  # (14, 14) index into CUTS, or NOTHING
    has_object: np.ndarray  # (14, 14) bool


def label_picture(
    rng: np.random.Generator, frame: np.ndarray, owner: np.ndarray, scene: Scene, frames_on: int
) -> LabelledPicture:
    """The frame, a masked frame or a mask, drawn in the ratio 2 : 2 : 1, with labels.

    `owner` (224, 224) uint8: 0 for the background, i + 1 for thing i. The frame is so many after the key frame.
    """
    kind = rng.choice(("frame", "masked frame", "mask"), p=(0.4, 0.4, 0.2))
    region, cut = np.ones(owner.shape, bool), None
    if kind != "frame":
        region, cut = _some_region(rng, owner, len(scene.things))
    objects = owner > 0
    if kind == "mask":
        picture = np.repeat((region * np.uint8(255))[..., None], 3, axis=2)
        empty = np.zeros(region.shape, bool)
        shares = (empty, empty, empty, ~region, region)
        instances = region.astype(np.uint8)
    else:
        picture = frame * region[..., None]
        rim = _rims(owner, len(scene.things))
        shares = (objects & region & ~rim, objects & region & rim, region & ~objects, ~region, np.zeros_like(region))
        instances = owner * region
    looks, turns, geometry, has_object = _label_patches(instances, scene, frames_on, with_looks=kind != "mask")
    shares = np.stack([_per_patch(share) for share in shares], axis=-1)
    label = NOTHING if cut is None else CUTS.index(cut)
    cuts = np.where(has_object, label, NOTHING)
    return LabelledPicture(picture, shares, looks, geometry, turns, cuts, has_object)


def _some_region(rng: np.random.Generator, owner: np.ndarray, count: int) -> tuple[np.ndarray, str | None]:
    """A region of one object, or less often of several, roughly cut, and its state: one of CUTS.

    The state is None if nothing of the objects is visible.
    """
    chosen = rng.random(count) < 0.35
    if rng.random() < 0.6 or not chosen.any():
        chosen = np.arange(count) == rng.integers(count)
    whole = np.isin(owner, np.flatnonzero(chosen) + 1)
    if not whole.any():
        return whole, None
    region, state = rough_region(rng, whole)
    return region, say_state(state, region, whole)


def _rims(owner: np.ndarray, count: int) -> np.ndarray:
    rims = np.zeros(owner.shape, bool)
    for number in range(1, count + 1):
        inside = np.pad((owner == number).astype(np.uint8), 1)
        depth = cv2.distanceTransform(inside, cv2.DIST_L2, 3)[1:-1, 1:-1]
        rims |= (depth > 0) & (depth <= max(MIN_RIM, RIM * np.sqrt(inside.sum())))
    return rims


def _label_patches(instances: np.ndarray, scene: Scene, frames_on: int, with_looks: bool) -> tuple[np.ndarray, ...]:
    count = len(scene.things)
    covered = np.stack([_per_patch(instances == i + 1) for i in range(count)], axis=-1) * PATCH**2
    foremost, has_object = covered.argmax(-1), covered.max(-1) > MIN_PIXELS
    looks = np.full((GRID, GRID, len(LOOKS)), NOTHING)
    turns = np.full((GRID, GRID), NOTHING)
    geometry = np.zeros((GRID, GRID, len(GEOMETRY)), np.float32)
    rows, columns = np.mgrid[:GRID, :GRID] * PATCH + (PATCH - 1) / 2
    half = FRAME_SIZE / 2
    for i, thing in enumerate(scene.things):
        here = has_object & (foremost == i)
        if not here.any():
            continue
        ys, xs = np.nonzero(instances == i + 1)
        x, y, size = xs.mean(), ys.mean(), np.log(len(ys) / FRAME_SIZE**2) / 2 + 1.5
        whole = [np.full((GRID, GRID), value) for value in (size, x / half - 1, y / half - 1)]
        geometry[here] = np.stack([(x - columns) * 2 / half, (y - rows) * 2 / half, *whole], axis=-1)[here]
        if with_looks:
            looks[here] = [names.index(getattr(thing.look, name)) for name, names in LOOKS.items()]
            turns[here] = {0: 0, 1: 1}.get(turned(thing, frames_on), NOTHING)
    return looks, turns, geometry, has_object


def _per_patch(share: np.ndarray) -> np.ndarray:
    """(224, 224) bool -> (14, 14) float32: the share of each patch's pixels."""
    return cv2.resize(share.astype(np.float32), (GRID, GRID), interpolation=cv2.INTER_AREA)
