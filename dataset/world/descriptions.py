"""What a scene shows, in words: the captions of pretraining.

A place is a column, a row and a size, each one of a short ordered list of words; between two words both are meant, each
to a part. `Bag` is such a meaning: words and how much of each.
"""

from __future__ import annotations

import numpy as np

from dataset.world.scenes import FRAME_SIZE, Scene, Thing

COLUMNS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")  # left to right
ROWS = tuple("ABCDEFGHIJ")  # top to bottom
SIZES = ("tiny", "little", "small", "middle", "big", "huge")
SECONDS = ("zero", *COLUMNS)
ORDERED = (COLUMNS, ROWS, SIZES)
SMALLEST_SIDE, SIZE_STEP = 18, 0.29  # pixels; log of the side's ratio from one size word to the next
WHOLE, TWO = "whole", "two things"
HOLES, NARROWER, WIDER = STATES = ("holes", "edge missing", "ground around")
LARGER, SMALLER, SAME_SIZE = "the larger", "the smaller", "alike"
ALIKE = 1.5  # times the area, at most
LEAST_CUT = 0.02  # of the object's area; less is called whole

Bag = dict[str, float]


def place_bag(x: float, y: float, side: float) -> Bag:
    """A centre in pixels and the side of a square of the same area."""
    levels = (x / FRAME_SIZE * 9, y / FRAME_SIZE * 9, np.log(max(side, 1) / SMALLEST_SIDE) / SIZE_STEP)
    bag: Bag = {}
    for words, level in zip(ORDERED, levels, strict=True):
        level = float(np.clip(level, 0, len(words) - 1))
        low = min(int(level), len(words) - 2)
        bag |= {words[low]: low + 1 - level, words[low + 1]: level - low}
    return bag


def say_place(bag: Bag) -> tuple[str, str, str]:
    """The nearest column, row and size."""
    column, row, size = (max(words, key=lambda word: bag.get(word, 0.0)) for words in ORDERED)
    return column, row, size


def thing_place(thing: Thing, frames_on: int) -> Bag:
    """Where a thing is, so many frames after the key frame."""
    return place_bag(*thing.centre(frames_on), thing.area(frames_on) ** 0.5 * FRAME_SIZE)


def region_place(region: np.ndarray) -> Bag:
    """Where a region (224, 224) bool is; it must not be empty."""
    rows, columns = np.nonzero(region)
    return place_bag(columns.mean(), rows.mean(), len(rows) ** 0.5)


def look_bag(thing: Thing) -> Bag:
    return {thing.look.colour: 1.0, thing.look.texture: 1.0, thing.look.category: 1.0}


def say_look(thing: Thing) -> str:
    """e.g. "red striped wheel"."""
    return f"{thing.look.colour} {thing.look.texture} {thing.look.category}"


def say_placed(look: str, place: Bag) -> str:
    """e.g. "small red striped wheel at three D"."""
    column, row, size = say_place(place)
    return f"{size} {look} at {column} {row}"


def say_state(state: str | None, region: np.ndarray, whole: np.ndarray) -> str:
    """e.g. "holes": what was done to a whole object (H, W) bool to make a region of it. How much is never said."""
    if state is None or (region ^ whole).sum() < LEAST_CUT * whole.sum():
        return WHOLE
    return state


def say_larger(thing: Thing, other: Thing) -> str:
    """The first one beside the second one."""
    ratio = thing.area(0) / other.area(0)
    return LARGER if ratio > ALIKE else SMALLER if ratio < 1 / ALIKE else SAME_SIZE


def say_frame(scene: Scene, frames_on: int) -> str:
    """All things of a frame, from left to right."""
    ordered = sorted(scene.things, key=lambda thing: thing.centre(frames_on)[0])
    return ", ".join(say_placed(say_look(thing), thing_place(thing, frames_on)) for thing in ordered)


def say_sounds(scene: Scene, first: int = 0, last: int = 10) -> str:
    """Who is heard between two seconds, in order of onset, by material; seconds are counted from `first`."""
    heard = [(thing.look.texture, thing.sound) for thing in scene.things if thing.sound]
    heard = [(name, s) for name, s in heard if s.onset < last and s.offset > first]
    said = (
        f"{name} {sound.pitch} {sound.loudness} from {SECONDS[max(sound.onset, first) - first]}"
        f" to {SECONDS[min(sound.offset, last) - first]}"
        for name, sound in sorted(heard, key=lambda pair: (pair[1].onset, pair[0]))
    )
    return ", ".join(said) or "nothing"


def sound_bags(scene: Scene, second: int) -> list[Bag]:
    """One bag per thing that is heard in this second."""
    heard = [(t.look.texture, t.sound) for t in scene.things if t.sound and t.sound.onset <= second < t.sound.offset]
    return [{name: 1.0, sound.pitch: 1.0, sound.loudness: 1.0} for name, sound in heard]
