"""The words of the lessons from which the mini LLM learns; words that audits and captions share are in `wording`.

A mask has two placeholders: the first is for the mask, the second for the masked frame.
"""

from __future__ import annotations

from dataset.text.wording import CAPTIONS, EXPRESSION_AND_FRAME, SYSTEM

REGION_QUESTION = "what is shown?"
STATE_QUESTION = "is it whole?"
FRAME_QUESTION = "what is there?"
_MASK = "<mask_start><mask><mask><mask_end>"


def ask_match(expression: str) -> str:
    """Is the region what the expression means?"""
    return f"{EXPRESSION_AND_FRAME.format(expression=expression)}and its region {_MASK}, is it the one?\n"


def ask_compare(expression: str, look: str) -> str:
    """Is the thing that looks so what the expression means?"""
    return f"Given the referential expression: '{expression}', is the {look} the one?\n"


def ask_nothing(expression: str, before: str, behind: str, last: str) -> str:
    """The prompt of an audit with any words in place of its question."""
    return f"{EXPRESSION_AND_FRAME.format(expression=expression)}and its {before} {_MASK}, {behind}.\n{last}"


def ask_find(expression: str) -> str:
    """Which object does the expression mean?"""
    return f"{EXPRESSION_AND_FRAME.format(expression=expression)}which one is it?\n"


def ask_where(frame: str, look: str) -> str:
    """Where is a thing in a frame? `frame`: e.g. "first frame"."""
    return f"{frame}, where is the {look}?\n"


def ask_about_thing(question: str, look: str) -> str:
    """A question about one thing, with {} for its look."""
    return f"{question.format(look)}\n"


def ask_about_region(question: str) -> str:
    """A question about the thing that a region of the key frame shows."""
    return f"Given the key frame image <image_start><image><image_end>, and its region {_MASK}, {question}\n"


def ask_about(medium: str, question: str) -> str:
    """A question about one image or sound, as in pretraining the projectors. `medium`: image or audio."""
    return say_to_assistant(CAPTIONS[medium].format(question=question))


def say_to_assistant(text: str) -> str:
    """The text in the chat template of the mini LLM."""
    return f"<s>{SYSTEM}\n{text}\n"
