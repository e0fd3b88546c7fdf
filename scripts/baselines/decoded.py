"""Turns of a question as arrays, for a model that runs in this process."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
import soundfile

from models.others import parts as arrays
from scripts.baselines.question import Part, Picture, Sound, Turn, Video


def decoded_turns(turns: Sequence[Turn]) -> list[arrays.Turn]:
    """The same turns; equal media are the same objects, so that a model reads them once."""
    return [arrays.Turn(turn.role, tuple(map(_part, turn.parts))) for turn in turns]


def _part(part: Part) -> arrays.Part:
    return part if isinstance(part, str) else _medium(part)


@lru_cache(64)
def _medium(part: Picture | Video | Sound) -> arrays.Part:
    if isinstance(part, Picture):
        return arrays.Picture(_pixels(part))
    if isinstance(part, Video):
        return arrays.Frames(tuple(arrays.Frame(_pixels(frame)) for frame in part.frames))
    waveform, _ = soundfile.read(io.BytesIO(part.data), dtype="float32")
    return arrays.Sound(waveform)


def _pixels(picture: Picture) -> np.ndarray:
    """(H, W, 3) uint8 RGB, turned as the file says."""
    read = cv2.imdecode(np.frombuffer(picture.data, np.uint8), cv2.IMREAD_COLOR)
    return cv2.cvtColor(read, cv2.COLOR_BGR2RGB)
