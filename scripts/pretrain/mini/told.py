"""How a scene is shown to the mini LLM, and what a lesson is.

A picture is a list of slots, one for each query token. At first a slot is told: its content is a bag of words, and the
LLM gets the sum of the embeddings of these words. Later it is seen: its content is a token of a projector.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import numpy as np
from torch import Tensor

from dataset.media.lengths import NUM_FRAMES
from dataset.text.wording import AUDIO_HEAD, VIDEO_HEAD
from dataset.world import descriptions as say
from dataset.world.descriptions import Bag
from dataset.world.reference import Reference
from dataset.world.scenes import Scene
from scripts.pretrain.mini import facts

NUM_SLOTS = 8  # number of query tokens of the mini auditor
TOLD_SLOTS = 5  # of a picture in words: four things and one empty slot make shorter rows than eight slots

LAST_FRAMES = 3  # of the video, in which it is known how a thing moves
AT_A_GLANCE = ("appearance", "position", "size")  # kinds of expressions that one frame answers

Content = Bag | Tensor
Shown = tuple[Content, int | None]  # a slot's content, and the number of the thing that it shows


@dataclass(frozen=True)
class Slot:
    """One token of a picture. `thing`: the number of what it shows; `known`: facts that can be known at it.

    `moment`: of a prompt's video or sound, the number of the frame or second. `tells`: for which kinds of expressions
    it can be known here that the thing is what is meant.
    """

    content: Content
    thing: int | None = None
    known: dict[str, str] = field(default_factory=dict)
    moment: int | None = None
    tells: tuple[str, ...] = ()


class View(Protocol):
    """How a scene is shown to the LLM."""

    def frame(self, rng: np.random.Generator, t: int) -> list[Shown]:
        """A whole frame."""

    def second(self, rng: np.random.Generator, t: int) -> list[Shown]:
        """One second of the sound."""

    def region(self, rng: np.random.Generator, targets: list[int]) -> tuple[list[Shown], list[Shown], str]:
        """The mask of one or two things, the masked frame, and in words whether they are whole."""

    def two(self, rng: np.random.Generator) -> list[int]:
        """Numbers of two things that `region` can show together."""


@dataclass(frozen=True)
class Told:
    """One scene, how it is shown to the LLM, and the references that are true of one of its objects only, by kind.

    `asked`: the number of the frame that lessons ask about. It is the key frame or, as in video mode, another one.
    """

    scene: Scene
    references: dict[str, list[Reference]]
    asked: int
    view: View

    @property
    def on(self) -> int:
        """How many frames after the key frame the asked one is."""
        return self.asked - self.scene.key_frame

    def frames(self, rng: np.random.Generator) -> list[Slot]:
        """The ten frames of the video. The last ones show how a thing has moved."""
        slots = []
        for t in range(NUM_FRAMES):
            tells = ("motion",) if t >= NUM_FRAMES - LAST_FRAMES else ()
            known = partial(facts.in_frame, self.scene, t=t)
            slots += [_slot(shown, known, t, tells) for shown in self.view.frame(rng, t)]
        return slots

    def seconds(self, rng: np.random.Generator) -> list[Slot]:
        """The ten seconds of sound."""
        shown = [(t, slot) for t in range(NUM_FRAMES) for slot in self.view.second(rng, t)]
        return [_slot(slot, partial(facts.in_second, self.scene), t, ("sound",)) for t, slot in shown]

    def still(self, rng: np.random.Generator, t: int) -> list[Slot]:
        """A frame outside of the video: nothing is known of how its things have moved."""
        return [Slot(content) for content, _ in self.view.frame(rng, t)]

    def stretch(self, rng: np.random.Generator, first: int, last: int) -> list[Slot]:
        """The sound between two seconds, outside of the prompt: nothing is known of what came before."""
        return [Slot(content) for t in range(first, last) for content, _ in self.view.second(rng, t)]

    def asked_frame(self, rng: np.random.Generator, heard: bool) -> list[Slot]:
        """The frame that lessons ask about. `heard`: the sound is shown before it.

        Only here can be known that a silent thing is meant.
        """
        slots, known = [], partial(facts.in_asked_frame, self.scene, on=self.on, heard=heard)
        for content, thing in self.view.frame(rng, self.asked):
            silent = thing is not None and self.scene.things[thing].sound is None
            tells = (*AT_A_GLANCE, "sound") if silent else AT_A_GLANCE
            slots.append(_slot((content, thing), known, tells=tells))
        return slots

    def region(self, rng: np.random.Generator, targets: list[int]) -> tuple[list[Slot], list[Slot], str]:
        """As `View.region`."""
        mask, cut_out, state = self.view.region(rng, targets)
        known = partial(facts.in_region, self.scene, on=self.on, together=targets)
        slots = [_slot(shown, known) for shown in cut_out]
        return [Slot(content) for content, _ in mask], slots, state


def _slot(
    shown: Shown, known: Callable[[int], dict[str, str]], moment: int | None = None, tells: tuple[str, ...] = ()
) -> Slot:
    content, thing = shown
    return Slot(content) if thing is None else Slot(content, thing, known(thing), moment, tells)


@dataclass(frozen=True)
class Lesson:
    """`text` holds one placeholder (<image>, <mask>, <audio> or <video>) for each of `pictures`.

    A lesson that has an expression begins with the frame that it asks about; `reference` is what is meant. If a region
    follows, its masked frame is the last picture.
    """

    task: str
    text: str
    pictures: list[list[Slot]]
    answer: str
    reference: Reference | None = None
    decision: str = ""  # the beginning of the answer; it has more weight in the loss
    has_region: bool = False

    @property
    def name(self) -> str:
        """The kind of the expression, or the task if the lesson has none."""
        return self.reference.kind if self.reference else self.task


@dataclass(frozen=True)
class Described:
    """A scene as bags of words: one for each thing, mixed with empty ones, in random order."""

    scene: Scene
    asked: int

    def frame(self, rng: np.random.Generator, t: int) -> list[Shown]:
        return _in_slots(rng, say.frame_bags(self.scene, t - self.scene.key_frame))

    def second(self, rng: np.random.Generator, t: int) -> list[Shown]:
        return _in_slots(rng, say.sound_bags(self.scene, t))

    def region(self, rng: np.random.Generator, targets: list[int]) -> tuple[list[Shown], list[Shown], str]:
        state = say.WHOLE if rng.random() < 0.4 else str(rng.choice(say.STATES))
        if len(targets) == 2:
            state = say.TWO
        masks, cut_out = say.region_bags(self.scene, targets, state, self.asked - self.scene.key_frame)
        return _in_slots(rng, masks), _in_slots(rng, cut_out), state

    def two(self, rng: np.random.Generator) -> list[int]:
        return [int(i) for i in rng.permutation(len(self.scene.things))[:2]]


def _in_slots(rng: np.random.Generator, bags: list[say.NumberedBag]) -> list[Shown]:
    slots = bags + [({}, None)] * (TOLD_SLOTS - len(bags))
    return [slots[i] for i in rng.permutation(len(slots))]


def video_prefix(rng: np.random.Generator, told: Told) -> tuple[str, list[Slot]]:
    """The beginning of the auditor's prompt: ten frames."""
    return VIDEO_HEAD, told.frames(rng)


def audio_prefix(rng: np.random.Generator, told: Told) -> tuple[str, list[Slot]]:
    """The part of the auditor's prompt that follows: ten seconds of sound."""
    return AUDIO_HEAD, told.seconds(rng)
