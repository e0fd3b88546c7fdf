"""Ref-Thinker's answer: its reasoning and the object's name, as text. Written, and read in two ways."""

from __future__ import annotations

import re
from dataclasses import dataclass

NULL = "null"  # the name of what is not in the video
NOT_FOUND = "Error"  # what the published scripts put in the place of a missing name
OBJECT_TAGS = ("s_object", "f_object")
_BOX_SENTENCE = "The corresponding bbox is: <frame> {frame} <box> {box} </box> </frame>"


@dataclass(frozen=True)
class Thought:
    """Parts of an answer; None for a part whose tags are missing.

    `s_object`: the object's simple name. `f_object`: its fine-grained description. `frame`, `box`: where it is seen,
    as text.
    """

    reasoning: str | None
    f_object: str | None
    s_object: str | None
    frame: str | None = None
    box: str | None = None

    @property
    def is_null(self) -> bool:
        """Whether it says that the video does not show the object, in any case of letters and with or without a dot."""
        return self.s_object is not None and self.s_object.lower().rstrip(" .") == NULL


def render_thought(thought: Thought) -> str:
    """The published skeleton, without `</s>`. The sentence about the box is left out if there is no box."""
    lines = [
        f"<think>\n{thought.reasoning}\n</think>\n<answer>",
        f"<f_object> {thought.f_object} </f_object>",
        f"<s_object> {thought.s_object} </s_object>",
    ]
    if thought.box is not None:
        lines.append(_BOX_SENTENCE.format(frame=thought.frame, box=thought.box))
    return "\n".join([*lines, "</answer>"])


def parse_thought(answer: str) -> Thought:
    """What an answer says. Names count behind the reasoning only: a name inside of it is a thought on the way."""
    _, _, behind = answer.rpartition("</think>")
    return Thought(
        reasoning=_between(answer, "think"),
        f_object=_between(behind, "f_object") or None,
        s_object=_between(behind, "s_object") or None,
        frame=_until(behind, "<frame>", "<box>"),
        box=_between(behind, "box"),
    )


def published_object_text(answer: str, tag: str) -> str:
    """The name as the published scripts read it: the first one anywhere in the answer, and "Error" where none is."""
    found = _between(answer, tag)
    return NOT_FOUND if found is None else found


def _between(text: str, tag: str) -> str | None:
    return _until(text, f"<{tag}>", f"</{tag}>")


def _until(text: str, start: str, end: str) -> str | None:
    found = re.search(f"{re.escape(start)}(.*?){re.escape(end)}", text, re.DOTALL)
    return found[1].strip() if found else None
