"""One mask of one's own with its clip, its expression, and what is carried through to the outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dataset.media.video import VIDEO_SUFFIXES
from scripts.answering.answerer import AuditRequest
from scripts.clips.request import ClipRequest

SOUND = "audio.wav"


@dataclass(frozen=True)
class OwnMask:
    """`name` tells it from all others. `request`: what is asked. carried: the outputs have it as it is."""

    name: str
    request: ClipRequest
    carried: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """A mask as a request to an auditor; `shown` says which moments of its clip are shown."""

    own: OwnMask
    request: AuditRequest
    shown: str


@dataclass(frozen=True)
class Source:
    """Masks, read one after the other, and how many there are, if that is known. `about` says what was left out."""

    masks: Iterable[OwnMask]
    count: int | None = None
    about: Callable[[], list[str]] = list


def clip_arguments(clip: Path, audio: Path | None, still: bool, no_audio: bool, fps: float | None = None) -> dict:
    """A clip as arguments of a ClipRequest: a video, a folder of frames (`fps` a second), or with `still` a picture.

    Frames may lie in the folder or in frames/ in it; without `audio` the sound is audio.wav beside them. Raises
    FileNotFoundError, ValueError.
    """
    how = {"still": still, "no_audio": no_audio, "audio": audio}
    if not clip.exists():
        raise FileNotFoundError(f"{clip}: no such clip")
    if clip.is_dir():
        if still:
            raise ValueError(f"{clip}: expected a picture with --still, got a folder")
        frames = clip / "frames" if (clip / "frames").is_dir() else clip
        beside = next((path for path in (clip / SOUND, frames.parent / SOUND) if path.is_file()), None)
        return how | {"frames": frames, "audio": None if no_audio else audio or beside, "fps": fps}
    if clip.suffix.lower() in VIDEO_SUFFIXES and not still:
        return how | {"video": clip}
    if not still:
        expected = "a video or a folder of frames, or with --still a picture"
        raise ValueError(f"{clip}: expected {expected}, got another file")
    return how | {"frames": clip}


def ask_about(where: str, **arguments: object) -> ClipRequest:
    """A ClipRequest whose errors name the place."""
    try:
        return ClipRequest(**arguments)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def mask_array(mask: np.ndarray) -> np.ndarray:
    """(H, W) bool in one piece of memory."""
    return np.ascontiguousarray(mask, dtype=bool)


def numbered(name: str, number: int, expressions: Sequence[str]) -> str:
    """The name of a mask that is asked about with this one of several expressions."""
    return f"{name} ({number + 1})" if len(expressions) > 1 else name
