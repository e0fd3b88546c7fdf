"""Lessons about one thing with short answers: where it is in a frame, how it moves, what it sounds like.

The thing is named by its look, or shown as a region. Comparing a region with an expression about motion or sound needs
all of this, and the LLM does not find it out from comparisons alone.
"""

from __future__ import annotations

import numpy as np

from dataset.media.lengths import NUM_FRAMES
from dataset.text import lesson_wording as wording
from dataset.world import descriptions as say
from dataset.world.scenes import Thing
from scripts.pretrain.mini.told import Lesson, Told, key_frame

OUTER_FRAMES = 0.7  # share of questions about the first or the last frame


def where(rng: np.random.Generator, told: Told, kind: str | None) -> Lesson:
    """Where is a thing in one of the frames?"""
    thing = _any_thing(rng, told)
    if rng.random() < OUTER_FRAMES:
        frame, word = [(0, "first"), (NUM_FRAMES - 1, "last")][rng.integers(2)]
        question = wording.ask_where(f"{word} frame", say.say_look(thing))
    else:
        frame = int(rng.integers(NUM_FRAMES))
        question = wording.ask_where(f"frame {say.COLUMNS[frame]}", say.say_look(thing))
    column, row, size = say.say_place(say.thing_place(thing, frame - told.scene.key_frame))
    return Lesson("where", question, [], f"{column} {row} {size}", decision=f"{column} {row}")


def moves(rng: np.random.Generator, told: Told, kind: str | None) -> Lesson:
    """How does a thing move?"""
    thing = _moving_thing(rng, told)
    if thing is None:
        return sounds(rng, told, kind)
    return _short("moves", wording.ask_about_thing("how does the {} move?", say.say_look(thing)), thing.motion.kind)


def speed(rng: np.random.Generator, told: Told, kind: str | None) -> Lesson:
    """How fast does a thing move?"""
    thing = _moving_thing(rng, told)
    if thing is None:
        return sounds(rng, told, kind)
    text = wording.ask_about_thing("how fast does the {} move?", say.say_look(thing))
    return _short("speed", text, say.say_speed(thing))


def sounds(rng: np.random.Generator, told: Told, kind: str | None) -> Lesson:
    """What does a thing sound like?"""
    thing = _any_thing(rng, told)
    text = wording.ask_about_thing("what does the {} sound like?", say.say_look(thing))
    return _short("sounds", text, say.say_sound(thing))


def region_moves(rng: np.random.Generator, told: Told, kind: str | None) -> Lesson:
    """How does the thing in a region move?"""
    thing = _moving_thing(rng, told)
    if thing is None:
        return region_sounds(rng, told, kind)
    return _about_region("region_moves", rng, told, thing, "how does it move?", thing.motion.kind)


def region_speed(rng: np.random.Generator, told: Told, kind: str | None) -> Lesson:
    """How fast does the thing in a region move?"""
    thing = _moving_thing(rng, told)
    if thing is None:
        return region_sounds(rng, told, kind)
    return _about_region("region_speed", rng, told, thing, "how fast does it move?", say.say_speed(thing))


def region_sounds(rng: np.random.Generator, told: Told, kind: str | None) -> Lesson:
    """What does the thing in a region sound like?"""
    thing = _any_thing(rng, told)
    return _about_region("region_sounds", rng, told, thing, "what does it sound like?", say.say_sound(thing))


def _any_thing(rng: np.random.Generator, told: Told) -> Thing:
    return told.scene.things[rng.integers(len(told.scene.things))]


def _moving_thing(rng: np.random.Generator, told: Told) -> Thing | None:
    known = told.view.moving()
    return told.scene.things[known[rng.integers(len(known))]] if known else None


def _short(task: str, text: str, answer: str) -> Lesson:
    return Lesson(task, text, [], answer, decision=answer)


def _about_region(task: str, rng: np.random.Generator, told: Told, thing: Thing, question: str, answer: str) -> Lesson:
    mask, cut_out, _ = told.view.region(rng, [told.scene.things.index(thing)])
    text = wording.ask_about_region(question)
    return Lesson(task, text, [key_frame(rng, told), mask, cut_out], answer, decision=answer)
