"""What can be known at a slot by an LLM that has read up to there: facts about the thing that the slot shows.

The mini LLM learns to know them at the slot itself, in an early layer. Comparisons then find them there. Without that
it does not learn from questions and answers alone how things move or whose sound is heard.
"""

from __future__ import annotations

from collections.abc import Sequence

from dataset.world import descriptions as say
from dataset.world.looks import COLOURS, TEXTURES
from dataset.world.motions import DIRECTIONS, KINDS
from dataset.world.scenes import Scene, Thing
from dataset.world.silhouettes import SEEN
from dataset.world.sounds import LOUDNESS, PITCHES

LEAST_FRAMES = 4  # of a motion, before it can be told what it is
YES, NO = "yes", "no"

# Each fact with its possible values.
LOOK = {"colour": tuple(COLOURS), "texture": TEXTURES, "category": SEEN}
PLACE = {"column": say.COLUMNS, "row": say.ROWS, "size": say.SIZES}
FACTS = {
    **LOOK,
    **PLACE,
    **{f"first {name}": words for name, words in PLACE.items()},
    "turned": (YES, NO),
    "first turned": (YES, NO),
    "across": ("left", "right"),
    "along": ("up", "down"),
    "change": ("growing", "shrinking"),
    "motion": KINDS,
    "speed": ("still", *(word for word, _ in say.SPEEDS)),
    "pitch": tuple(PITCHES),
    "loudness": tuple(LOUDNESS),
    "onset": say.SECONDS,
    "heard before": ("nothing", "others"),  # whether others began before this one
    "silent": (YES, NO),
    "alone": (YES, NO),
    "beside": tuple(words for words, _ in say.BESIDE),
}


def in_frame(scene: Scene, number: int, t: int) -> dict[str, str]:
    """Facts about a thing in frame `t` of the video."""
    thing = scene.things[number]
    first = _place(thing, -scene.key_frame)
    known = _look(thing) | _place(thing, t - scene.key_frame) | {f"first {name}": word for name, word in first.items()}
    known |= _turned("turned", thing, t - scene.key_frame) | _turned("first turned", thing, -scene.key_frame)
    return known | _motion(thing) if t >= LEAST_FRAMES else known


def in_second(scene: Scene, number: int) -> dict[str, str]:
    """Facts about a thing that sounds in a second."""
    thing = scene.things[number]
    return {"texture": thing.look.texture} | _sound(scene, thing)


def in_asked_frame(scene: Scene, number: int, on: int, heard: bool) -> dict[str, str]:
    """Facts about a thing of the frame that is asked about, `on` frames after the key frame.

    `heard`: the sound is shown before it.
    """
    thing = scene.things[number]
    known = _look(thing) | _place(thing, on)
    if not heard:
        return known
    others = [other for other in scene.things if other.sound and other is not thing]
    known |= {"silent": NO if thing.sound else YES}
    if thing.sound:
        known |= _sound(scene, thing) | {"alone": NO if others else YES}
    return known


def in_region(scene: Scene, number: int, on: int, together: Sequence[int] = ()) -> dict[str, str]:
    """Facts about a thing that a masked frame shows, `on` frames after the key frame. `together`: all that it shows."""
    thing = scene.things[number]
    known = _look(thing) | _place(thing, on)
    for other in together:
        if other != number:
            known["beside"] = say.say_beside(thing, scene.things[other], on)
    return known


def _look(thing: Thing) -> dict[str, str]:
    return {name: getattr(thing.look, name) for name in LOOK}


def _place(thing: Thing, frames_on: int) -> dict[str, str]:
    return dict(zip(PLACE, say.say_place(say.thing_place(thing, frames_on)), strict=True))


def _turned(name: str, thing: Thing, frames_on: int) -> dict[str, str]:
    """Whether it is turned; nothing if it is partly."""
    word = {0: NO, 1: YES}.get(say.turned(thing, frames_on))
    return {name: word} if word else {}


def _motion(thing: Thing) -> dict[str, str]:
    """How a thing moves."""
    motion = thing.motion
    known = {"speed": say.say_speed(thing), "motion": motion.kind}
    if motion.kind in ("left", "right"):
        known["across"] = motion.kind
    elif motion.kind in DIRECTIONS:
        known["along"] = motion.kind
    elif motion.growth:
        known["change"] = motion.kind
    return known


def _sound(scene: Scene, thing: Thing) -> dict[str, str]:
    sound = thing.sound
    before = any(other.sound and other.sound.onset < sound.onset for other in scene.things)
    return {
        "pitch": sound.pitch,
        "loudness": sound.loudness,
        "onset": say.SECONDS[sound.onset],
        "heard before": "others" if before else "nothing",
    }
