"""What is said in a chat with a model, as arrays, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Picture:
    """`pixels` (H, W, 3) uint8 RGB. Two pictures are the same only if they are one object."""

    pixels: np.ndarray


class Frame(Picture):
    """A frame of a video, for models that take a video as pictures."""


@dataclass(frozen=True, eq=False)
class Frames:
    """A video: one frame for each second."""

    frames: tuple[Frame, ...]


@dataclass(frozen=True, eq=False)
class Sound:
    """`waveform` (n,) float32, mono, 16 kHz."""

    waveform: np.ndarray


Part = str | Picture | Frames | Sound


@dataclass(frozen=True)
class Turn:
    """What one side says. `role`: user or assistant."""

    role: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Read:
    """A medium as a model takes it: the text that stands for it, a token for each feature, and its tensors."""

    text: str
    tensors: dict[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Prompt:
    """A whole chat: token ids, its media in order, and where each of them begins in the ids."""

    ids: list[int]
    media: tuple[Read, ...]
    starts: tuple[int, ...] = ()


@dataclass(frozen=True)
class Answer:
    """`is_cut_off`: the answer has reached the longest length without an end."""

    text: str
    tokens_in: int
    tokens_out: int
    is_cut_off: bool
