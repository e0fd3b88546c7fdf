"""What the mini LLM learns to talk about: scenes of which it is told what an encoder would see.

A lesson is a list of pieces, text or pictures, with an answer. A picture is a list of bags of words, one per query
token, in any order and with blanks; the LLM gets the sum of the words' embeddings there. It learns to bind words to
what is seen, to follow objects through frames, to listen, and to say whether a region is what an expression means.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dataset.entries import NUM_FRAMES
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

Picture = list[Bag]


@dataclass(frozen=True)
class Told:
    """One scene, and what can be said of one of its objects alone, by kind."""

    scene: Scene
    references: dict[str, list[Reference]]


@dataclass(frozen=True)
class Lesson:
    """`text` holds one placeholder (<image>, <mask>, <audio> or <video>) for each of `pictures`."""

    task: str
    text: str
    pictures: list[Picture]
    answer: str
    kind: str | None = None  # of the expression, where there is one


def video_prefix(rng: np.random.Generator, scene: Scene) -> tuple[str, list[Picture]]:
    """The head of the auditor's prompt: ten frames."""
    frames = [bag for t in range(NUM_FRAMES) for bag in frame_picture(rng, scene, t - scene.key_frame)]
    return "video:\n<video_start><video><video_end>\n", [frames]


def audio_prefix(rng: np.random.Generator, scene: Scene) -> tuple[str, list[Picture]]:
    """The head of the auditor's prompt: ten seconds."""
    return "audio:\n<audio_start><audio><audio_end>\n", [_seconds(rng, scene, 0, NUM_FRAMES)]


def frame_picture(rng: np.random.Generator, scene: Scene, frames_on: int) -> Picture:
    """A whole frame: one bag per thing, in any order."""
    return _in_slots(rng, [say.look_bag(thing) | say.thing_place(thing, frames_on) for thing in scene.things])


def _seconds(rng: np.random.Generator, scene: Scene, first: int, last: int) -> Picture:
    return [bag for t in range(first, last) for bag in _in_slots(rng, say.sound_bags(scene, t))]


def _in_slots(rng: np.random.Generator, bags: list[Bag]) -> Picture:
    """In any order, blanks among them."""
    slots = bags + [{}] * (NUM_SLOTS - len(bags))
    return [slots[i] for i in rng.permutation(len(slots))]


def _region_pictures(rng: np.random.Generator, scene: Scene, targets: list[int]) -> tuple[Picture, Picture, str]:
    """A region's mask, its masked frame, and the state it is in, in words."""
    masks, cut_out = [], []
    state = None if rng.random() < 0.4 or len(targets) > 1 else str(rng.choice(say.STATES))
    said = say.say_state(state, float(rng.choice((0.05, 0.15, 0.4)))) if len(targets) == 1 else say.TWO
    for target in targets:
        thing = scene.things[target]
        place = say.thing_place(thing, 0) | (dict.fromkeys(said.split(), 1.0) if len(targets) == 1 else {})
        masks.append(place)
        cut_out.append(say.look_bag(thing) | place)
    return _in_slots(rng, masks), _in_slots(rng, cut_out), said


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
    others = [i for i in range(len(things)) if i != reference.target]
    right = rng.random() < 0.5
    shown = reference.target if right else int(rng.choice(others))
    *pictures, _ = _region_pictures(rng, told.scene, [shown])
    text = (
        f"Given the referential expression: '{expression}', the key frame image <image_start><image><image_end>, "
        "and its region <mask_start><mask><mask><mask_end>, is it the one?\n"
    )
    answer = f"it is the {say.say_look(things[shown])}"
    answer = f"yes, {answer}" if right else f"no, {answer}, not the {say.say_look(things[reference.target])}"
    return Lesson("match", text, [frame_picture(rng, told.scene, 0), *pictures], answer, reference.kind)


def find(rng: np.random.Generator, told: Told, kind: str) -> Lesson:
    """Which object does the expression mean?"""
    reference, expression = _draw_expression(rng, told, kind)
    thing = told.scene.things[reference.target]
    text = (
        f"Given the referential expression: '{expression}', the key frame image <image_start><image><image_end>, "
        "which one is it?\n"
    )
    answer = say.say_placed(say.say_look(thing), say.thing_place(thing, 0))
    return Lesson("find", text, [frame_picture(rng, told.scene, 0)], answer, reference.kind)


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
    things = told.scene.things
    targets = [int(i) for i in rng.permutation(len(things))[: 1 + (rng.random() < 0.25)]]
    targets.sort(key=lambda i: things[i].centre(0)[0])
    return targets, *_region_pictures(rng, told.scene, targets)


def frame(rng: np.random.Generator, told: Told, kind: str | None) -> Lesson:
    """What is in a frame?"""
    frames_on = int(rng.integers(NUM_FRAMES)) - told.scene.key_frame
    picture = frame_picture(rng, told.scene, frames_on)
    return _question("frame", IMAGE_QUESTION + FRAME_QUESTION, picture, say.say_frame(told.scene, frames_on))


def hear(rng: np.random.Generator, told: Told, kind: str | None) -> Lesson:
    """What is heard in a few seconds of the sound?"""
    first = int(rng.integers(NUM_FRAMES - 1))
    last = int(rng.integers(first + 1, NUM_FRAMES + 1))
    return _question(
        "hear", AUDIO_QUESTION, _seconds(rng, told.scene, first, last), say.say_sounds(told.scene, first, last)
    )


def _question(task: str, question: str, picture: Picture, answer: str) -> Lesson:
    return Lesson(task, f"{CHAT}{question}\n", [picture], f"{answer}. ")


TASKS: dict[str, Callable[..., Lesson]] = {task.__name__: task for task in (match, find, region, state, frame, hear)}
