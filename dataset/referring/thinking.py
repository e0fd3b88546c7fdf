"""Expressions with their frames, sound and answers, for Ref-Thinker."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dataset.media.lengths import NUM_FRAMES
from dataset.referring.expressions import Expression
from dataset.referring.layout import ReferringData
from utils.text_files import read_json

TUNING_FILE = "RefThinker_instruction_tuning_set.json"
_LISTED = 5  # as many problems are shown in an error


@dataclass(frozen=True)
class ThinkSample:
    """One expression; `answer` is what is to be learned, None in tests."""

    expression: Expression
    video_paths: tuple[Path, ...]
    audio_path: Path
    answer: str | None = None


def read_think_samples(data: ReferringData, split: str, tuning_file: Path | None = None) -> list[ThinkSample]:
    """All rows of a split, in file order; with the answers of a tuning file, for training.

    Raises FileNotFoundError for a missing file, naming the first ones, and ValueError for an expression without an
    answer. Media are not opened.
    """
    answers = read_tuning_set(tuning_file) if tuning_file else {}
    samples = []
    for expression in data.expressions([split]):
        folder = data.media_vid(expression)
        frames = tuple(data.frame_path(folder, frame) for frame in range(NUM_FRAMES))
        answer = answers.get(expression.uid)
        samples.append(ThinkSample(expression, frames, data.audio_path(expression), answer))
    if tuning_file and (without := [s.expression.uid for s in samples if s.answer is None]):
        raise ValueError(f"{tuning_file}: expected answers for all {split} expressions, got none for {_some(without)}")
    check_media(samples)
    return samples


def check_media(samples: Iterable[ThinkSample]) -> None:
    """Raises FileNotFoundError that names the first frames and sounds that are missing, and how many are."""
    paths = dict.fromkeys(path for sample in samples for path in (*sample.video_paths, sample.audio_path))
    if missing := [str(path) for path in paths if not path.is_file()]:
        raise FileNotFoundError(f"{len(missing)} of {len(paths)} frames and sounds are missing: {_some(missing)}")


def read_tuning_set(path: Path) -> dict[str, str]:
    """uid -> the answer to learn. Raises FileNotFoundError, ValueError for anything but {uid: {"output": text}}."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; expected answers to learn, {{uid: {{'output': text}}}}")
    content = read_json(path)
    if not isinstance(content, dict):
        raise ValueError(f"{path}: expected an object of uids, got {type(content).__name__}")
    for uid, entry in content.items():
        if not (isinstance(entry, dict) and isinstance(entry.get("output"), str)):
            raise ValueError(f"{path}: expected text as 'output' of {uid}, got {str(entry)[:80]}")
    return {uid: entry["output"] for uid, entry in content.items()}


def find_tuning_file(data: ReferringData) -> Path:
    """The tuning file beside the dataset or in it. Raises FileNotFoundError that says where it was looked for."""
    places = [folder / TUNING_FILE for folder in data.folders()]
    if found := next((place for place in places if place.is_file()), None):
        return found
    raise FileNotFoundError(f"answers to learn: expected {' or '.join(map(str, places))}, got no such file")


def _some(names: list[str]) -> str:
    return ", ".join(names[:_LISTED]) + (f", ... ({len(names)})" if len(names) > _LISTED else "")
