"""Captions for pretraining the projectors: Video-LLaVA's lists of images and videos, and AudioCaps.

Reads the lists and checks every entry: its fields, its words, and that its file exists. The files are not opened.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dataset.benchmark.entries import path_inside
from dataset.text.wording import AUDIO_QUESTION
from utils.text_files import read_json
from utils.tokens import IMAGE, VIDEO, reserved_tokens

_LISTED = 5  # as many problems are shown in an error


@dataclass(frozen=True)
class Caption:
    """`medium`: image, video or audio."""

    medium: str
    path: Path
    question: str
    answer: str


def read_visual_captions(list_file: str | Path, root: str | Path) -> list[Caption]:
    """Video-LLaVA's list: `{image or video: path, conversations: [{value: question}, {value: answer}, ...]}`.

    Paths are relative to `root`. Only the first question and answer of an entry are used, as published; placeholders
    such as <image> are taken out of the question. Raises ValueError that names the first entries that do not fit,
    FileNotFoundError for a missing list.
    """
    captions, problems = [], []
    for number, entry in enumerate(_read_list(list_file)):
        try:
            captions.append(_visual_caption(entry, Path(root)))
        except (ValueError, FileNotFoundError) as error:
            problems.append(f"entry {number}: {error}")
    return _checked(captions, problems, list_file)


def read_audiocaps(list_file: str | Path, root: str | Path) -> list[Caption]:
    """AudioCaps' train.json or val.json: `{audiocap_id, start_time, caption}`, sounds in `root`/data/<audiocap_id>.wav.

    Raises as `read_visual_captions`.
    """
    captions, problems = [], []
    for number, entry in enumerate(_read_list(list_file)):
        try:
            name = _text(str(entry.get("audiocap_id", "")) if isinstance(entry, dict) else "", "audiocap_id")
            path = _existing(Path(root), f"data/{name}.wav")
            captions.append(Caption("audio", path, AUDIO_QUESTION, _text(entry.get("caption"), "caption")))
        except (ValueError, FileNotFoundError) as error:
            problems.append(f"entry {number}: {error}")
    return _checked(captions, problems, list_file)


def _visual_caption(entry: object, root: Path) -> Caption:
    if not isinstance(entry, dict):
        raise ValueError(f"expected an object, got {type(entry).__name__}")
    media = [medium for medium in ("image", "video") if medium in entry]
    if len(media) != 1:
        raise ValueError(f"expected one of 'image' and 'video', got {' and '.join(media) or 'neither'}")
    talk = entry.get("conversations")
    if not (isinstance(talk, list) and len(talk) >= 2 and all(isinstance(turn, dict) for turn in talk[:2])):
        raise ValueError("conversations: expected a question and an answer")
    question = talk[0].get("value")
    if isinstance(question, str):
        for placeholder in (IMAGE, VIDEO):
            question = question.replace(placeholder, "")
    path = _existing(root, _text(entry[media[0]], media[0]))
    return Caption(media[0], path, _text(question, "question"), _text(talk[1].get("value"), "answer"))


def _text(value: object, name: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name}: expected words, got {value!r}")
    if reserved := reserved_tokens(value):
        raise ValueError(f"{name}: expected plain words, got the reserved {', '.join(reserved)} in {value[:60]!r}")
    return value.strip()


def _existing(root: Path, name: str) -> Path:
    path = path_inside(root, name)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    return path


def _read_list(path: str | Path) -> list:
    if not Path(path).is_file():
        raise FileNotFoundError(f"captions {path}: no such file")
    content = read_json(path)
    if not isinstance(content, list):
        raise ValueError(f"captions {path}: expected a list of entries, got {type(content).__name__}")
    if not content:
        raise ValueError(f"captions {path}: expected a list of entries, got an empty list")
    return content


def _checked(captions: list[Caption], problems: list[str], path: str | Path) -> list[Caption]:
    if problems:
        shown = "; ".join(problems[:_LISTED]) + ("; ..." if len(problems) > _LISTED else "")
        raise ValueError(f"captions {path}: {len(problems)} entries do not fit: {shown}")
    return captions
