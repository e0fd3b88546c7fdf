"""Describes in words what a scene shows; used for captions and lessons of pretraining.

A place is described by a column, a row and a size. Each of them has a short ordered list of words. A place between two
words is described by both, with weights. A `Bag` holds such words and their weights.
"""

from __future__ import annotations

import numpy as np

from dataset.world.scenes import FRAME_SIZE, Scene, Thing

COLUMNS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")  # left to right
ROWS = tuple("ABCDEFGHIJ")  # top to bottom
SIZES = ("tiny", "little", "small", "middle", "big", "huge")
SECONDS = ("zero", *COLUMNS)
ORDERED = (COLUMNS, ROWS, SIZES)
SMALLEST_SIDE, SIZE_STEP = 18, 0.29  # pixels; log of the ratio of sides between neighbouring size words
WHOLE, TWO = "whole", "two things"
HOLES, NARROWER, WIDER = STATES = ("holes", "edge missing", "ground around")
# How large one thing is beside another: each word with the ratio of areas that is too much for it.
BESIDE = (
    ("far smaller", 0.2),
    ("much smaller", 0.4),
    ("smaller", 0.75),
    ("alike", 4 / 3),
    ("larger", 2.5),
    ("much larger", 5.0),
    ("far larger", np.inf),
)
SLOWEST = 0.5  # pixels per frame
SPEEDS = (("slow", 3.0), ("middle", 6.0), ("fast", np.inf))  # each word with the speed that is too much for it
TURNED = "turned"  # away from upright
UPRIGHT, FULLY_TURNED = 0.3, 0.7  # radians: at most, at least; between them a thing is partly called turned
LEAST_CUT = 0.02  # a region that differs by less of the object's area is called whole

Bag = dict[str, float]
NumberedBag = tuple[Bag, int]  # and the number of the thing that it describes


def place_bag(x: float, y: float, side: float) -> Bag:
    """The bag of a place: its centre x, y and the side of a square of its area, in pixels."""
    levels = (x / FRAME_SIZE * 9, y / FRAME_SIZE * 9, np.log(max(side, 1) / SMALLEST_SIDE) / SIZE_STEP)
    bag: Bag = {}
    for words, level in zip(ORDERED, levels, strict=True):
        level = float(np.clip(level, 0, len(words) - 1))
        low = min(int(level), len(words) - 2)
        bag |= {words[low]: low + 1 - level, words[low + 1]: level - low}
    return bag


def say_place(bag: Bag) -> tuple[str, str, str]:
    """The words for column, row and size with the greatest weight."""
    column, row, size = (max(words, key=lambda word: bag.get(word, 0.0)) for words in ORDERED)
    return column, row, size


def thing_place(thing: Thing, frames_on: int) -> Bag:
    """The place of a thing, `frames_on` frames after the key frame."""
    return place_bag(*thing.centre(frames_on), thing.area(frames_on) ** 0.5 * FRAME_SIZE)


def region_place(region: np.ndarray) -> Bag:
    """The place of a region (224, 224) bool, which must not be empty."""
    rows, columns = np.nonzero(region)
    return place_bag(columns.mean(), rows.mean(), len(rows) ** 0.5)


def look_bag(thing: Thing) -> Bag:
    return {thing.look.colour: 1.0, thing.look.texture: 1.0, thing.look.category: 1.0}


def turned(thing: Thing, frames_on: int) -> float:
    """How far a thing is turned away from upright, from 0 (not, or hardly) to 1. In the key frame none is."""
    angle = abs(np.angle(np.exp(1j * thing.angle(frames_on))))
    return float(np.clip((angle - UPRIGHT) / (FULLY_TURNED - UPRIGHT), 0, 1))


def say_look(thing: Thing) -> str:
    """e.g. "red striped wheel"."""
    return f"{thing.look.colour} {thing.look.texture} {thing.look.category}"


def say_placed(look: str, place: Bag) -> str:
    """e.g. "small red striped wheel at three D"."""
    column, row, size = say_place(place)
    return f"{size} {look} at {column} {row}"


def say_state(state: str | None, region: np.ndarray, whole: np.ndarray) -> str:
    """How the region differs from the whole object, both (H, W) bool, e.g. "holes". By how much is never said."""
    if state is None or (region ^ whole).sum() < LEAST_CUT * whole.sum():
        return WHOLE
    return state


def say_beside(thing: Thing, other: Thing, frames_on: int) -> str:
    """How large the first thing is beside the second one, e.g. "much smaller"."""
    ratio = thing.area(frames_on) / other.area(frames_on)
    return next(words for words, most in BESIDE if ratio < most)


def say_speed(thing: Thing) -> str:
    """How fast the thing moves, whichever way."""
    if thing.motion.speed < SLOWEST:
        return "still"
    return next(word for word, most in SPEEDS if thing.motion.speed < most)


def say_sound(thing: Thing) -> str:
    """e.g. "low loud from two to five"."""
    sound = thing.sound
    if sound is None:
        return "nothing"
    return f"{sound.pitch} {sound.loudness} from {SECONDS[sound.onset]} to {SECONDS[sound.offset]}"


def say_frame(scene: Scene, frames_on: int) -> str:
    """All things of a frame, from left to right."""
    ordered = sorted(scene.things, key=lambda thing: thing.centre(frames_on)[0])
    return ", ".join(say_placed(say_look(thing), thing_place(thing, frames_on)) for thing in ordered)


def say_sounds(scene: Scene, first: int = 0, last: int = 10) -> str:
    """Which textures are heard between two seconds, in order of onset. Times are counted from `first`."""
    sounding = [thing for thing in scene.things if thing.sound]
    heard = [thing for thing in sounding if thing.sound.onset < last and thing.sound.offset > first]
    said = []
    for thing in sorted(heard, key=lambda thing: (thing.sound.onset, thing.look.texture)):
        start = SECONDS[max(thing.sound.onset, first) - first]
        end = SECONDS[min(thing.sound.offset, last) - first]
        said.append(f"{thing.look.texture} {thing.sound.pitch} {thing.sound.loudness} from {start} to {end}")
    return ", ".join(said) or "nothing"


def frame_bags(scene: Scene, frames_on: int) -> list[NumberedBag]:
    """One bag for each thing of a frame: its look, its place, and whether it is turned."""
    return [
        (look_bag(thing) | thing_place(thing, frames_on) | {TURNED: turned(thing, frames_on)}, i)
        for i, thing in enumerate(scene.things)
    ]


def region_bags(
    scene: Scene, targets: list[int], state: str, frames_on: int
) -> tuple[list[NumberedBag], list[NumberedBag]]:
    """Bags of the mask of one or two things of a frame, and of the masked frame, which also shows looks."""
    words = {} if state == TWO else dict.fromkeys(state.split(), 1.0)
    masks = [(thing_place(scene.things[i], frames_on) | words, i) for i in targets]
    return masks, [(look_bag(scene.things[i]) | bag, i) for bag, i in masks]


def sound_bags(scene: Scene, second: int) -> list[NumberedBag]:
    """One bag for each thing that is heard in this second: its texture, pitch and loudness."""
    sounding = [(i, thing) for i, thing in enumerate(scene.things) if thing.sound]
    heard = [(i, thing) for i, thing in sounding if thing.sound.onset <= second < thing.sound.offset]
    return [({thing.look.texture: 1.0, thing.sound.pitch: 1.0, thing.sound.loudness: 1.0}, i) for i, thing in heard]
