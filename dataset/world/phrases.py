"""The wordings of referring expressions. Expressions about motion or sound say nothing about looks."""

from __future__ import annotations

import numpy as np

from dataset.world.reference import Reference

NOUNS = ("object", "thing")  # for expressions that do not name the category

# {bare}: "object" or a category such as "star". {noun}: the same with the colour, if it is part of the reference.
WORDINGS = {
    ("appearance", "colour"): ("the {noun}", "the {bare} that is {colour}", "the {bare} in {colour}"),
    ("appearance", "texture"): (
        "the {texture} {noun}",
        "the {noun} that is {texture}",
        "the {noun} that looks {texture}",
    ),
    ("appearance", "shape"): ("the {noun}", "the {noun} in the scene", "the object shaped like a {noun}"),
    ("appearance", "colour_shape"): (
        "the {noun}",
        "the {bare} that is {colour}",
        "the {colour} object shaped like a {bare}",
    ),
    ("position", "left"): ("the {noun} on the left", "the leftmost {noun}", "the {noun} farthest to the left"),
    ("position", "right"): ("the {noun} on the right", "the rightmost {noun}", "the {noun} farthest to the right"),
    ("position", "top"): ("the {noun} at the top", "the topmost {noun}", "the {noun} above all others"),
    ("position", "bottom"): (
        "the {noun} at the bottom",
        "the lowest {noun} in the frame",
        "the {noun} below all others",
    ),
    ("size", "largest"): ("the largest {noun}", "the biggest {noun}", "the {noun} that is the largest"),
    ("size", "smallest"): ("the smallest {noun}", "the littlest {noun}", "the {noun} that is the smallest"),
    ("motion", "left"): ("the {noun} moving to the left", "the {noun} that goes left", "the {noun} moving leftwards"),
    ("motion", "right"): (
        "the {noun} moving to the right",
        "the {noun} that goes right",
        "the {noun} moving rightwards",
    ),
    ("motion", "up"): ("the {noun} moving upwards", "the {noun} that goes up", "the rising {noun}"),
    ("motion", "down"): ("the {noun} moving downwards", "the {noun} that goes down", "the sinking {noun}"),
    ("motion", "spinning"): ("the spinning {noun}", "the {noun} that turns round", "the rotating {noun}"),
    ("motion", "growing"): ("the growing {noun}", "the {noun} that gets bigger", "the {noun} that grows"),
    ("motion", "shrinking"): ("the shrinking {noun}", "the {noun} that gets smaller", "the {noun} that shrinks"),
    ("motion", "still"): ("the {noun} that stays still", "the {noun} that does not move", "the motionless {noun}"),
    ("motion", "fastest"): ("the fastest {noun}", "the {noun} that moves fastest", "the quickest {noun}"),
    ("sound", "only"): ("the {noun} making a sound", "the sounding {noun}", "the {noun} that can be heard"),
    ("sound", "silent"): ("the silent {noun}", "the {noun} making no sound", "the {noun} that cannot be heard"),
    ("sound", "low"): ("the {noun} making the low sound", "the {noun} with the low sound", "the low sounding {noun}"),
    ("sound", "high"): (
        "the {noun} making the high sound",
        "the {noun} with the high sound",
        "the high sounding {noun}",
    ),
    ("sound", "loud"): ("the {noun} making the loud sound", "the loud {noun}", "the {noun} with the loud sound"),
    ("sound", "soft"): ("the {noun} making the soft sound", "the soft {noun}", "the {noun} with the soft sound"),
    ("sound", "first"): (
        "the {noun} that starts sounding first",
        "the {noun} heard first",
        "the first {noun} to sound",
    ),
    ("sound", "last"): ("the {noun} that starts sounding last", "the {noun} heard last", "the last {noun} to sound"),
}


def draw_expression(rng: np.random.Generator, reference: Reference) -> str:
    """One of the wordings of a reference."""
    wordings = WORDINGS[reference.kind, reference.facet]
    bare = reference.category or str(rng.choice(NOUNS))
    told = f"{reference.colour} {bare}" if reference.colour else bare
    wording = wordings[rng.integers(len(wordings))]
    return wording.format(noun=told, bare=bare, colour=reference.colour, texture=reference.texture)
