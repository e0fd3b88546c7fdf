"""The lessons of the mini LLM: questions about scenes of the drawn world, with their answers.

A lesson is a text with placeholders for pictures, and an answer. The LLM learns what words mean in pictures and sounds,
which object an expression means, and whether a region is that object.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from dataset.media.lengths import NUM_FRAMES
from dataset.text import lesson_wording as wording
from dataset.text.wording import AUDIO_QUESTION
from dataset.world import descriptions as say
from dataset.world.phrases import draw_expression
from dataset.world.reference import Reference
from scripts.pretrain.mini.facts import LOOK
from scripts.pretrain.mini.told import Lesson, Slot, Told

TOGETHER = 0.25  # share of regions that consist of two things
COMMON_WORDS = Path(__file__).with_name("english.txt").read_text().split()[:400]


def _draw_expression(rng: np.random.Generator, told: Told, kind: str) -> tuple[Reference, str]:
    """A reference of this kind and its expression. A facet is drawn first, so that all facets are equally likely."""
    facets = sorted({reference.facet for reference in told.references[kind]})
    facet = facets[rng.integers(len(facets))]
    fitting = [reference for reference in told.references[kind] if reference.facet == facet]
    reference = fitting[rng.integers(len(fitting))]
    return reference, draw_expression(rng, reference)


def _asked(rng: np.random.Generator, expression: str) -> str:
    """The beginning of a prompt with an expression and a frame, in one of several wordings."""
    return wording.show_frame(expression, str(rng.choice(wording.FRAMES)), str(rng.choice(wording.JOINS)))


def match(rng: np.random.Generator, told: Told, kind: str, heard: bool) -> Lesson:
    """Is the region what the expression means? The answer also says what it is and what it should be."""
    reference, expression = _draw_expression(rng, told, kind)
    things = told.scene.things
    shown = _right_or_wrong(rng, told, reference)
    *pictures, _ = told.region(rng, [shown])
    right = shown == reference.target
    decision = "yes" if right else "no"
    answer = f"{decision}, it is the {say.say_look(things[shown])}"
    if not right:
        answer += f", not the {say.say_look(things[reference.target])}"
    text = _asked(rng, expression) + wording.MATCH
    return Lesson(
        "match", text, [told.asked_frame(rng, heard), *pictures], answer, reference, decision, has_region=True
    )


def judge(rng: np.random.Generator, told: Told, kind: str, heard: bool) -> Lesson:
    """Like `match`, for one or two things, and the answer also says whether they are whole.

    The text has random words where a question would stand. So the LLM learns to judge a region before it knows what
    will be asked.
    """
    reference, expression = _draw_expression(rng, told, kind)
    shown = [_right_or_wrong(rng, told, reference)]
    if rng.random() < TOGETHER:  # the thing that the expression means comes first
        shown = sorted(told.view.two(rng), key=lambda i: i != reference.target)
    *pictures, state = told.region(rng, shown)
    if len(shown) == 2:
        state += f", {say.say_beside(*(told.scene.things[i] for i in shown), told.on)}"
    right = shown[0] == reference.target
    decision = f"{'yes' if right else 'no'}, {state}"
    answer = f"{decision}, it is the {' and the '.join(_say_sized(told, i) for i in shown)}"
    if not right:
        answer += f", not the {_say_sized(told, reference.target)}"
    question = wording.ask_nothing(_any_words(rng, 5), _any_words(rng, 12), _any_words(rng, 12))
    text = _asked(rng, expression) + question
    return Lesson(
        "judge", text, [told.asked_frame(rng, heard), *pictures], answer, reference, decision, has_region=True
    )


def _right_or_wrong(rng: np.random.Generator, told: Told, reference: Reference) -> int:
    """The target of the reference or, equally often, another thing."""
    others = [i for i in range(len(told.scene.things)) if i != reference.target]
    return reference.target if rng.random() < 0.5 else int(rng.choice(others))


def _say_sized(told: Told, number: int) -> str:
    """e.g. "small red striped wheel"."""
    thing = told.scene.things[number]
    return f"{say.say_place(say.thing_place(thing, told.on))[-1]} {say.say_look(thing)}"


def _any_words(rng: np.random.Generator, most: int) -> str:
    return " ".join(rng.choice(COMMON_WORDS, rng.integers(most + 1)))


def trait(rng: np.random.Generator, told: Told, kind: str, heard: bool) -> Lesson:
    """Which colour, texture or category has the object that the expression means?"""
    reference, expression = _draw_expression(rng, told, kind)
    name = str(rng.choice(list(LOOK)))
    answer = getattr(told.scene.things[reference.target].look, name)
    text = _asked(rng, expression) + wording.ask_trait(name)
    return Lesson("trait", text, [told.asked_frame(rng, heard)], answer, reference, answer)


def find(rng: np.random.Generator, told: Told, kind: str, heard: bool) -> Lesson:
    """Which object does the expression mean?"""
    reference, expression = _draw_expression(rng, told, kind)
    thing = told.scene.things[reference.target]
    answer = say.say_placed(say.say_look(thing), say.thing_place(thing, told.on))
    text = _asked(rng, expression) + wording.FIND
    return Lesson("find", text, [told.asked_frame(rng, heard)], answer, reference)


def region(rng: np.random.Generator, told: Told, kind: str | None, heard: bool) -> Lesson:
    """What does a mask, or a masked frame, show?"""
    things = told.scene.things
    targets, mask, cut_out, _ = _some_region(rng, told)
    if rng.random() < 0.5:
        shown, looks = mask, ["white"] * len(targets)
    else:
        shown, looks = cut_out, [say.say_look(things[i]) for i in targets]
    said = (say.say_placed(look, say.thing_place(things[i], told.on)) for look, i in zip(looks, targets, strict=True))
    return _question("region", "image", wording.REGION_QUESTION, shown, " and ".join(said))


def state(rng: np.random.Generator, told: Told, kind: str | None, heard: bool) -> Lesson:
    """Is what a mask, or a masked frame, shows whole?"""
    _, mask, cut_out, said = _some_region(rng, told)
    return _question("state", "image", wording.STATE_QUESTION, mask if rng.random() < 0.3 else cut_out, said)


def _some_region(rng: np.random.Generator, told: Told) -> tuple[list[int], list[Slot], list[Slot], str]:
    """One or two things, from left to right, their mask, the masked frame, and in words whether they are whole."""
    targets = told.view.two(rng) if rng.random() < TOGETHER else [int(rng.integers(len(told.scene.things)))]
    targets = sorted(targets, key=lambda i: told.scene.things[i].centre(told.on)[0])
    return targets, *told.region(rng, targets)


def frame(rng: np.random.Generator, told: Told, kind: str | None, heard: bool) -> Lesson:
    """What is in a frame?"""
    t = int(rng.integers(NUM_FRAMES))
    said = say.say_frame(told.scene, t - told.scene.key_frame)
    return _question("frame", "image", wording.FRAME_QUESTION, told.still(rng, t), said)


def hear(rng: np.random.Generator, told: Told, kind: str | None, heard: bool) -> Lesson:
    """What is heard in a few seconds of the sound?"""
    first = int(rng.integers(NUM_FRAMES - 1))
    last = int(rng.integers(first + 1, NUM_FRAMES + 1))
    said = say.say_sounds(told.scene, first, last)
    return _question("hear", "audio", AUDIO_QUESTION, told.stretch(rng, first, last), said)


def repeat(rng: np.random.Generator, told: Told, kind: str | None, heard: bool) -> Lesson:
    """Repeat some common words, so that the LLM can also say words that no scene needs."""
    words = " ".join(rng.choice(COMMON_WORDS, 10))
    return Lesson("repeat", wording.say_to_assistant(words), [], words)


def _question(task: str, medium: str, question: str, picture: list[Slot], answer: str) -> Lesson:
    return Lesson(task, wording.ask_about(medium, question), [picture], f"{answer}. ")


TASKS: dict[str, Callable[..., Lesson]] = {
    task.__name__: task for task in (match, judge, trait, find, region, state, frame, hear, repeat)
}
