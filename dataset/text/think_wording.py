"""The words of Ref-Thinker's prompt, as published, and of answers that are made from ground truth."""

from __future__ import annotations

from collections.abc import Sequence

from utils.thought import NULL, Thought, render_thought

_MEDIA = "{bos}This is a video:\n<video_start><video><video_end>\nThis is an audio:\n<audio_start><audio><audio_end>\n"
# The published prompts of training and test differ.
_TRAIN = "Given the referential expression: '{expression}', analyze"
_TEST = "Given the referential expression {expression}, analyze"
_TASK = (
    " the video and audio, and then generate a reasoning chain (<think>) and final answer (<answer>).\n"
    "Your output must follow this format:\n"
    "<think>\nYour reasoning here\n</think>\n"
    "<answer>\n<f_object> ... </f_object>\n<s_object> ... </s_object>\n"
    "The corresponding bbox is: <frame> <box> ... </box> </frame>\n</answer>"
)


def build_think_prompt(expression: str, is_train: bool, bos: str = "<s>") -> str:
    """The prompt of one expression, which is lower-cased and not stripped, as published."""
    template = _MEDIA + (_TRAIN if is_train else _TEST) + _TASK
    return template.format(bos=bos, expression="\0").replace("\0", expression.lower())


def build_thought(
    name: str | None,
    description: str | None,
    others: Sequence[str],
    sounding: Sequence[str] | None,
    place: tuple[int, str] | None = None,
) -> str:
    """An answer to learn, from what is true of a video.

    `name`, `description`: of the object that is meant; None for a reference to nothing. `others`: what else is shown.
    `sounding`: what can be heard, None where that is unknown. `place`: a frame and the object's box in it, as text.
    """
    shown = _listed([description, *others] if description else list(others))
    sentences = [f"The video shows {shown}." if shown else "The video shows no known object."]
    if sounding is not None:
        sentences.append(f"The sound comes from {_listed(sounding)}." if sounding else "Nothing makes a sound.")
    if name is None:
        sentences.append("None of them is meant.")
        frame, box = (NULL, NULL) if place else (None, None)
        return render_thought(Thought(" ".join(sentences), NULL, NULL, frame, box))
    sentences.append(f"{description[:1].upper()}{description[1:]} is meant.")
    frame, box = place or (None, None)
    return render_thought(Thought(" ".join(sentences), description, name, frame, box))


def _listed(names: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
