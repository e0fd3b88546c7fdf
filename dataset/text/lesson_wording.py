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


def ask_nothing(expression: str, before: str, behind: str, last: str) -> str:
    """The prompt of an audit with any words in place of its question."""
    return f"{EXPRESSION_AND_FRAME.format(expression=expression)}and its {before} {_MASK}, {behind}.\n{last}"


def ask_find(expression: str) -> str:
    """Which object does the expression mean?"""
    return f"{EXPRESSION_AND_FRAME.format(expression=expression)}which one is it?\n"


def ask_about(medium: str, question: str) -> str:
    """A question about one image or sound, as in pretraining the projectors. `medium`: image or audio."""
    return say_to_assistant(CAPTIONS[medium].format(question=question))


def say_to_assistant(text: str) -> str:
    """The text in the chat template of the mini LLM."""
    return f"<s>{SYSTEM}\n{text}\n"
