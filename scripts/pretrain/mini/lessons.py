"""What the mini LLM learns to talk about: scenes that it is told of, and later, scenes that it sees and hears.

A lesson is a text with places for pictures, and an answer. A picture is a list of bags of words, one per query token,
in any order and with blanks, where the LLM gets the sum of the words' embeddings; or the tokens that a projector made.
The LLM learns to bind words to what is seen, to follow objects through frames, to listen, and to say whether a region
is what an expression means.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from torch import Tensor

from dataset.benchmark.entries import NUM_FRAMES
from dataset.world import descriptions as say
from dataset.world.descriptions import Bag
from dataset.world.phrases import draw_expression
from dataset.world.reference import Reference
from dataset.world.scenes import Scene

NUM_SLOTS = 8  # query tokens of the mini auditor
# The words around a picture and its question, as in pretraining the projectors.
CHAT = "<s>You are a helpful assistant.\n"
IMAGE_QUESTION = "This is an image:\n<image_start><image><image_end>\nPlease answer the question:\n"
REGION_QUESTION = "what is shown?"
STATE_QUESTION = "is it whole?"
FRAME_QUESTION = "what is there?"
AUDIO_QUESTION = "This is an audio:\n<audio_start><audio><audio_end>\nPlease describe this audio."

TOGETHER = 0.25  # how often a region is two things
COMMON_WORDS = Path(__file__).with_name("english.txt").read_text().split()[:400]

Picture = list[Bag] | Tensor


class View(Protocol):
    """How a scene is shown to the LLM."""

    def frames(self, rng: np.random.Generator, times: range) -> Picture:
        """Whole frames, in order."""

    def seconds(self, rng: np.random.Generator, first: int, last: int) -> Picture:
        """The sound between two seconds."""

    def region(self, rng: np.random.Generator, targets: list[int]) -> tuple[Picture, Picture, str]:
        """The mask of one thing or two, its masked frame, and the state it is in, in words."""

    def two(self, rng: np.random.Generator) -> list[int]:
        """Two things that `region` can show together."""


@dataclass(frozen=True)
class Told:
    """One scene, how it is shown, and what can be said of one of its objects alone, by kind."""

    scene: Scene
    references: dict[str, list[Reference]]
    view: View


@dataclass(frozen=True)
class Lesson:
    """`text` holds one placeholder (<image>, <mask>, <audio> or <video>) for each of `pictures`."""

    task: str
    text: str
    pictures: list[Picture]
    answer: str
    kind: str | None = None  # of the expression, where there is one
    decision: str = ""  # the beginning of the answer, which counts more


@dataclass(frozen=True)
class Described:
    """A scene in bags of words: one per thing, in any order, blanks among them."""

    scene: Scene

    def frames(self, rng: np.random.Generator, times: range) -> list[Bag]:
        pictures = []
        for t in times:
            on = t - self.scene.key_frame
            bags = [say.look_bag(thing) | say.thing_place(thing, on) for thing in self.scene.things]
            pictures += _in_slots(rng, bags)
        return pictures

    def seconds(self, rng: np.random.Generator, first: int, last: int) -> list[Bag]:
        return [bag for t in range(first, last) for bag in _in_slots(rng, say.sound_bags(self.scene, t))]

    def region(self, rng: np.random.Generator, targets: list[int]) -> tuple[list[Bag], list[Bag], str]:
        masks, cut_out = [], []
        said = say.WHOLE if rng.random() < 0.4 else str(rng.choice(say.STATES))
        said = said if len(targets) == 1 else say.TWO
        for target in targets:
            thing = self.scene.things[target]
            place = say.thing_place(thing, 0) | (dict.fromkeys(said.split(), 1.0) if len(targets) == 1 else {})
            masks.append(place)
            cut_out.append(say.look_bag(thing) | place)
        return _in_slots(rng, masks), _in_slots(rng, cut_out), said

    def two(self, rng: np.random.Generator) -> list[int]:
        return [int(i) for i in rng.permutation(len(self.scene.things))[:2]]


def _in_slots(rng: np.random.Generator, bags: list[Bag]) -> list[Bag]:
    slots = bags + [{}] * (NUM_SLOTS - len(bags))
    return [slots[i] for i in rng.permutation(len(slots))]


def video_prefix(rng: np.random.Generator, told: Told) -> tuple[str, list[Picture]]:
    """The head of the auditor's prompt: ten frames."""
    return "video:\n<video_start><video><video_end>\n", [told.view.frames(rng, range(NUM_FRAMES))]


def audio_prefix(rng: np.random.Generator, told: Told) -> tuple[str, list[Picture]]:
    """The head of the auditor's prompt: ten seconds."""
    return "audio:\n<audio_start><audio><audio_end>\n", [told.view.seconds(rng, 0, NUM_FRAMES)]


def key_frame(rng: np.random.Generator, told: Told) -> Picture:
    return told.view.frames(rng, range(told.scene.key_frame, told.scene.key_frame + 1))


def _draw_expression(rng: np.random.Generator, told: Told, kind: str) -> tuple[Reference, str]:
    """A facet of the kind, and one of its references: each as likely as the others that the scene has."""
    facets = sorted({reference.facet for reference in told.references[kind]})
    facet = facets[rng.integers(len(facets))]
    fitting = [reference for reference in told.references[kind] if reference.facet == facet]
    reference = fitting[rng.integers(len(fitting))]
    return reference, draw_expression(rng, reference)


def match(rng: np.random.Generator, told: Told, kind: str) -> Lesson:
    """Is the region what the expression means? The answer says what it is, and what it should have been."""
    (reference, expression), things = _draw_expression(rng, told, kind), told.scene.things
    shown = _right_or_wrong(rng, told, reference)
    *pictures, _ = told.view.region(rng, [shown])
    text = (
        f"Given the referential expression: '{expression}', the key frame image <image_start><image><image_end>, "
        "and its region <mask_start><mask><mask><mask_end>, is it the one?\n"
    )
    right = shown == reference.target
    answer = f"{'yes' if right else 'no'}, it is the {say.say_look(things[shown])}"
    answer += "" if right else f", not the {say.say_look(things[reference.target])}"
    return Lesson("match", text, [key_frame(rng, told), *pictures], answer, reference.kind, answer.split(",")[0])


def judge(rng: np.random.Generator, told: Told, kind: str) -> Lesson:
    """A match of one thing or two, and whether it is whole.

    Nothing is asked: any words stand around the region and before the answer, so that the judgement is at hand at
    every place, whatever is wanted.
    """
    reference, expression = _draw_expression(rng, told, kind)
    shown = [_right_or_wrong(rng, told, reference)]
    if rng.random() < TOGETHER:  # the one that is meant is told first
        shown = sorted(told.view.two(rng), key=lambda i: i != reference.target)
    *pictures, state = told.view.region(rng, shown)
    if len(shown) == 2:
        state += f", {say.say_larger(*(told.scene.things[i] for i in shown))}"
    right = shown[0] == reference.target
    decision = f"{'yes' if right else 'no'}, {state}"
    answer = f"{decision}, it is the {' and the '.join(_say_sized(told, i) for i in shown)}"
    answer += "" if right else f", not the {_say_sized(told, reference.target)}"
    text = (
        f"Given the referential expression: '{expression}', the key frame image <image_start><image><image_end>, "
        f"and its {_any_words(rng, 5)} <mask_start><mask><mask><mask_end>, {_any_words(rng, 12)}.\n"
        f"{_any_words(rng, 12)}"
    )
    return Lesson("judge", text, [key_frame(rng, told), *pictures], answer, reference.kind, decision)


def _right_or_wrong(rng: np.random.Generator, told: Told, reference: Reference) -> int:
    """What the reference means, or, as often, something else."""
    others = [i for i in range(len(told.scene.things)) if i != reference.target]
    return reference.target if rng.random() < 0.5 else int(rng.choice(others))


def _say_sized(told: Told, number: int) -> str:
    """e.g. "small red striped wheel"."""
    thing = told.scene.things[number]
    return f"{say.say_place(say.thing_place(thing, 0))[-1]} {say.say_look(thing)}"


def _any_words(rng: np.random.Generator, most: int) -> str:
    return " ".join(rng.choice(COMMON_WORDS, rng.integers(most + 1)))


def find(rng: np.random.Generator, told: Told, kind: str) -> Lesson:
    """Which object does the expression mean?"""
    reference, expression = _draw_expression(rng, told, kind)
    thing = told.scene.things[reference.target]
    text = (
        f"Given the referential expression: '{expression}', the key frame image <image_start><image><image_end>, "
        "which one is it?\n"
    )
    answer = say.say_placed(say.say_look(thing), say.thing_place(thing, 0))
    return Lesson("find", text, [key_frame(rng, told)], answer, reference.kind)


def region(rng: np.random.Generator, told: Told, kind: str | None) -> Lesson:
    """What does a mask, or a masked frame, show?"""
    things = told.scene.things
    targets, mask, cut_out, _ = _some_region(rng, told)
    shown, looks = (mask, ["white"] * len(targets)) if rng.random() < 0.5 else (cut_out, None)
    looks = looks or [say.say_look(things[i]) for i in targets]
    said = (say.say_placed(look, say.thing_place(things[i], 0)) for look, i in zip(looks, targets, strict=True))
    return _question("region", IMAGE_QUESTION + REGION_QUESTION, shown, " and ".join(said))


def state(rng: np.random.Generator, told: Told, kind: str | None) -> Lesson:
    """Is what a mask, or a masked frame, shows whole?"""
    _, mask, cut_out, said = _some_region(rng, told)
    return _question("state", IMAGE_QUESTION + STATE_QUESTION, mask if rng.random() < 0.3 else cut_out, said)


def _some_region(rng: np.random.Generator, told: Told) -> tuple[list[int], Picture, Picture, str]:
    """One thing or two, from left to right; the mask, the masked frame, and the state in words."""
    targets = told.view.two(rng) if rng.random() < TOGETHER else [int(rng.integers(len(told.scene.things)))]
    targets = sorted(targets, key=lambda i: told.scene.things[i].centre(0)[0])
    return targets, *told.view.region(rng, targets)


def frame(rng: np.random.Generator, told: Told, kind: str | None) -> Lesson:
    """What is in a frame?"""
    t = int(rng.integers(NUM_FRAMES))
    picture, said = told.view.frames(rng, range(t, t + 1)), say.say_frame(told.scene, t - told.scene.key_frame)
    return _question("frame", IMAGE_QUESTION + FRAME_QUESTION, picture, said)


def hear(rng: np.random.Generator, told: Told, kind: str | None) -> Lesson:
    """What is heard in a few seconds of the sound?"""
    first = int(rng.integers(NUM_FRAMES - 1))
    last = int(rng.integers(first + 1, NUM_FRAMES + 1))
    return _question(
        "hear", AUDIO_QUESTION, told.view.seconds(rng, first, last), say.say_sounds(told.scene, first, last)
    )


def repeat(rng: np.random.Generator, told: Told, kind: str | None) -> Lesson:
    """Any common words, to be said again: words that no scene needs are known as words of answers too."""
    words = " ".join(rng.choice(COMMON_WORDS, 10))
    return Lesson("repeat", f"{CHAT}{words}\n", [], words)


def _question(task: str, question: str, picture: Picture, answer: str) -> Lesson:
    return Lesson(task, f"{CHAT}{question}\n", [picture], f"{answer}. ")


TASKS: dict[str, Callable[..., Lesson]] = {
    task.__name__: task for task in (match, judge, find, region, state, frame, hear, repeat)
}
