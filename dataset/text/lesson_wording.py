"""The words of the lessons from which the mini LLM learns; words that audits and captions share are in `wording`.

A mask has two placeholders: the first is for the mask, the second for the masked frame.
"""

from __future__ import annotations

from dataset.text.wording import CAPTIONS, SYSTEM

REGION_QUESTION = "what is shown?"
STATE_QUESTION = "is it whole?"
FRAME_QUESTION = "what is there?"
FRAMES = ("the key frame image", "the key frame", "the frame")  # the words before the frame that is asked about
JOINS = (", ", " ")  # what stands behind it
_MASK = "<mask_start><mask><mask><mask_end>"
MATCH = f"and its region {_MASK}, is it the one?\n"  # is the region what the expression means?
FIND = "which one is it?\n"  # which object does the expression mean?


def show_frame(expression: str, frame: str, join: str) -> str:
    """The beginning of a prompt. `frame`: one of FRAMES; `join`: one of JOINS."""
    return f"Given the referential expression: '{expression}', {frame} <image_start><image><image_end>{join}"


def ask_nothing(before: str, behind: str, last: str) -> str:
    """The end of an audit's prompt with any words in place of its question."""
    return f"and its {before} {_MASK}, {behind}.\n{last}"


def ask_trait(name: str) -> str:
    """One property of the object that the expression means, e.g. its colour."""
    return f"what {name} is it?\n"


def ask_about(medium: str, question: str) -> str:
    """A question about one image or sound, as in pretraining the projectors. `medium`: image or audio."""
    return say_to_assistant(CAPTIONS[medium].format(question=question))


def say_to_assistant(text: str) -> str:
    """The text in the chat template of the mini LLM."""
    return f"<s>{SYSTEM}\n{text}\n"
