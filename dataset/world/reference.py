"""Finds references: properties that are true of exactly one object of a scene.

A facet is what an expression is about, e.g. "largest". There are five kinds of facets. A facet of position or size must
be true in all ten frames, and by a clear margin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from dataset.media.lengths import NUM_FRAMES
from dataset.world import motions, sounds
from dataset.world.scenes import Scene, Thing

FACETS = {
    "appearance": ("colour", "texture", "shape", "colour_shape"),
    "position": ("left", "right", "top", "bottom"),
    "size": ("largest", "smallest"),
    "motion": motions.FACETS,
    "sound": sounds.FACETS,
}
KINDS = tuple(FACETS)
MIN_GAP = 12  # pixels between the centres of the outermost object and the next one
MIN_RATIO = 1.35  # between the areas of the largest object and the next one
MIN_SPEED_RATIO = 1.8
MIN_SECONDS = 2  # between the first onset and the next one


@dataclass(frozen=True)
class Reference:
    """A facet that is true of one thing and of no other candidate. `target` is the number of that thing.

    For position and size, the candidates are all objects, or those of the given colour or category. For appearance,
    the given colour, category and texture are what the facet says.
    """

    kind: str
    facet: str
    target: int
    colour: str | None = None
    category: str | None = None
    texture: str | None = None


def references(scene: Scene, kind: str, facet: str, with_nouns: bool = True) -> list[Reference]:
    """All references of this facet. Without nouns, none of them needs the name of a category."""
    if kind == "appearance":
        return list(_by_appearance(scene, facet, with_nouns))
    if kind in ("position", "size"):
        return list(_by_extreme(scene, kind, facet, with_nouns))
    true_of = _moving if kind == "motion" else _sounding
    targets = [i for i in range(len(scene.things)) if true_of(scene.things, i, facet)]
    return [Reference(kind, facet, targets[0])] if len(targets) == 1 else []


def _by_appearance(scene: Scene, facet: str, with_nouns: bool) -> Iterator[Reference]:
    looks = [thing.look for thing in scene.things]
    told: dict[str, Callable] = {
        "colour": lambda look: {"colour": look.colour},
        "texture": lambda look: {"texture": look.texture},
        "shape": lambda look: {"category": look.category},
        "colour_shape": lambda look: {"colour": look.colour, "category": look.category},
    }
    if facet == "shape" and not with_nouns:
        return
    decides = told["colour"] if facet == "colour_shape" and not with_nouns else told[facet]
    for target, look in enumerate(looks):
        if [decides(other) for other in looks].count(decides(look)) == 1:
            yield Reference("appearance", facet, target, **told[facet](look))


def _by_extreme(scene: Scene, kind: str, facet: str, with_nouns: bool) -> Iterator[Reference]:
    looks = [thing.look for thing in scene.things]
    groups = [({}, range(len(looks)))]
    for name in ("colour", "category") if with_nouns else ("colour",):
        for value in dict.fromkeys(getattr(look, name) for look in looks):
            members = [i for i, look in enumerate(looks) if getattr(look, name) == value]
            if 1 < len(members) < len(looks):
                groups.append(({name: value}, members))
    margin = np.log(MIN_RATIO) if kind == "size" else MIN_GAP
    for told, members in groups:
        values = np.array([_measure(scene, scene.things[i], facet) for i in members])  # (n, 10)
        first = int(np.argmax(values[:, 0]))
        lead = values[first] - np.delete(values, first, axis=0).max(axis=0)  # (10,)
        if (lead >= margin).all():
            yield Reference(kind, facet, members[first], **told)


def _measure(scene: Scene, thing: Thing, facet: str) -> list[float]:
    """Ten numbers, one for each frame: the position in the facet's direction in pixels, or plus or minus log area."""
    frames_on = [t - scene.key_frame for t in range(NUM_FRAMES)]
    if facet in ("largest", "smallest"):
        return [np.log(thing.area(n)) * (1 if facet == "largest" else -1) for n in frames_on]
    x, y = motions.DIRECTIONS[{"top": "up", "bottom": "down"}.get(facet, facet)]
    return [float(np.dot(thing.centre(n), (x, y))) for n in frames_on]


def _moving(things: tuple[Thing, ...], i: int, facet: str) -> bool:
    motion, others = things[i].motion, [thing.motion for j, thing in enumerate(things) if j != i]
    if facet == "fastest":
        return motion.speed > 0 and all(motion.speed >= MIN_SPEED_RATIO * other.speed for other in others)
    return motion.kind == facet


def _sounding(things: tuple[Thing, ...], i: int, facet: str) -> bool:
    sound, others = things[i].sound, [thing.sound for j, thing in enumerate(things) if j != i]
    heard = [other for other in others if other]
    if facet == "silent":
        return sound is None
    if sound is None:
        return False
    if facet == "only":
        return not heard
    if facet in ("first", "last"):
        sign = 1 if facet == "first" else -1
        return bool(heard) and all(sign * (other.onset - sound.onset) >= MIN_SECONDS for other in heard)
    return bool(heard) and facet in (sound.pitch, sound.loudness)
