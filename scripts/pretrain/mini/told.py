"""How a scene is shown to the mini LLM, and what a lesson is.

At first a picture is described: it is a list of bags of words, one bag for each query token, in any order, some of them
empty. The LLM gets the sum of the embeddings of a bag's words. Later a picture is seen: it is the output of a
projector.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from torch import Tensor

from dataset.media.lengths import NUM_FRAMES
from dataset.text.wording import AUDIO_HEAD, VIDEO_HEAD
from dataset.world import descriptions as say
from dataset.world.descriptions import Bag
from dataset.world.reference import Reference
from dataset.world.scenes import Scene

NUM_SLOTS = 8  # number of query tokens of the mini auditor

Picture = list[Bag] | Tensor


class View(Protocol):
    """How a scene is shown to the LLM."""

    def frames(self, rng: np.random.Generator, times: range) -> Picture:
        """Whole frames, in order."""

    def seconds(self, rng: np.random.Generator, first: int, last: int) -> Picture:
        """The sound between two seconds."""

    def region(self, rng: np.random.Generator, targets: list[int]) -> tuple[Picture, Picture, str]:
        """The mask of one or two things, the masked frame, and in words whether they are whole."""

    def two(self, rng: np.random.Generator) -> list[int]:
        """Numbers of two things that `region` can show together."""

    def moving(self) -> list[int]:
        """Numbers of the things whose motion can be known."""


@dataclass(frozen=True)
class Told:
    """One scene, how it is shown to the LLM, and the references that are true of one of its objects only, by kind."""

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
    kind: str | None = None  # of the expression, if the lesson has one
    decision: str = ""  # the beginning of the answer; it has more weight in the loss


@dataclass(frozen=True)
class Described:
    """A scene as bags of words: one for each thing, mixed with empty ones, in random order."""

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
        state = dict.fromkeys(said.split(), 1.0)
        if len(targets) == 2:
            said, state = say.TWO, {}
        for target in targets:
            thing = self.scene.things[target]
            place = say.thing_place(thing, 0) | state
            masks.append(place)
            cut_out.append(say.look_bag(thing) | place)
        return _in_slots(rng, masks), _in_slots(rng, cut_out), said

    def two(self, rng: np.random.Generator) -> list[int]:
        return [int(i) for i in rng.permutation(len(self.scene.things))[:2]]

    def moving(self) -> list[int]:
        return [i for i, thing in enumerate(self.scene.things) if thing.motion.kind != "spinning"]  # no bag shows that


def _in_slots(rng: np.random.Generator, bags: list[Bag]) -> list[Bag]:
    slots = bags + [{}] * (NUM_SLOTS - len(bags))
    return [slots[i] for i in rng.permutation(len(slots))]


def video_prefix(rng: np.random.Generator, told: Told) -> tuple[str, list[Picture]]:
    """The beginning of the auditor's prompt: ten frames."""
    return VIDEO_HEAD, [told.view.frames(rng, range(NUM_FRAMES))]


def audio_prefix(rng: np.random.Generator, told: Told) -> tuple[str, list[Picture]]:
    """The part of the auditor's prompt that follows: ten seconds of sound."""
    return AUDIO_HEAD, [told.view.seconds(rng, 0, NUM_FRAMES)]


def key_frame(rng: np.random.Generator, told: Told) -> Picture:
    return told.view.frames(rng, range(told.scene.key_frame, told.scene.key_frame + 1))
