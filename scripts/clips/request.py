"""One question about a mask of a clip, given as paths or as arrays."""

from __future__ import annotations

import operator
import os
from dataclasses import dataclass

import numpy as np

from configs.audit import check_clip, check_frame, check_words
from dataset.media.lengths import NUM_FRAMES
from dataset.media.sound_files import check_length, check_rate, check_scale

Given = str | os.PathLike
Sound = tuple[np.ndarray, int]
SOUND_TYPES = ("float32", "float64", "int16", "int32")


@dataclass(kw_only=True, eq=False)
class ClipRequest:
    """One mask of a clip to audit. Paths mean files; everything else is taken as an array.

    expression: what the mask should show. mask: a picture, in which what is not black is inside, or (H, W) bool, of any
    size. frame: which of the ten frames, 0 to 9, the mask belongs to. The clip is either a `video` file or `frames`, a
    folder of numbered images or (10, H, W, 3) uint8 RGB. audio: a sound file, or mono samples (n,) and their rate;
    `frames` need it, for a `video` it replaces the video's own sound. Samples are float in [-1, 1], int16 or int32.

    In a folder of another number of images, `frame` counts all of them, and ten are shown. fps: how many images of a
    folder are one second; of more than ten seconds ten are shown, one a second, with the sound of the same ten seconds.
    at: instead of `frame`, the mask's moment in a `video`, in seconds. still: `frames` is one picture, which stands for
    all ten. no_audio: there is no sound; the auditor hears silence.

    Raises ValueError for arguments that do not belong together and for arrays of another shape or type.
    """

    expression: str
    mask: Given | np.ndarray
    frame: int | None = None
    video: Given | None = None
    frames: Given | np.ndarray | None = None
    audio: Given | Sound | None = None
    at: float | None = None
    fps: float | None = None
    still: bool = False
    no_audio: bool = False

    def __post_init__(self):
        check_words(self.expression)
        check_clip(self)
        if self.frame is not None:
            self.frame = operator.index(self.frame)
            if self.frames is not None and not is_path(self.frames):
                check_frame(self.frame)
        if not is_path(self.mask):
            self.mask = _checked_mask(np.asarray(self.mask))
        if self.frames is not None and not is_path(self.frames):
            self.frames = _checked_frames(np.asarray(self.frames), self.still)
        if self.audio is not None and not is_path(self.audio):
            self.audio = _checked_sound(self.audio)


def is_path(given: object) -> bool:
    """Whether it is a path, not an array."""
    return isinstance(given, Given)


def _checked_mask(mask: np.ndarray) -> np.ndarray:
    if mask.ndim != 2 or mask.dtype != bool or not mask.size:
        raise ValueError(f"mask: expected (H, W) bool, got {mask.shape} {mask.dtype}")
    return mask


def _checked_frames(frames: np.ndarray, still: bool) -> np.ndarray:
    if still:
        if frames.ndim != 3 or frames.shape[2] != 3 or frames.dtype != np.uint8 or not frames.size:
            raise ValueError(f"frames: expected one picture (H, W, 3) uint8, got {frames.shape} {frames.dtype}")
        return frames
    is_rgb = frames.ndim == 4 and frames.shape[::3] == (NUM_FRAMES, 3) and frames.size
    if not is_rgb or frames.dtype != np.uint8:
        raise ValueError(f"frames: expected ({NUM_FRAMES}, H, W, 3) uint8, got {frames.shape} {frames.dtype}")
    return frames


def _checked_sound(given: object) -> Sound:
    """Samples (n,) float32 in [-1, 1], and their rate."""
    try:
        samples, rate = given
        samples, rate = np.asarray(samples), int(rate)
    except (TypeError, ValueError):
        raise ValueError("audio: expected a path, or samples (n,) and their rate, got something else") from None
    if samples.ndim != 1 or samples.dtype.name not in SOUND_TYPES:
        kinds = ", ".join(SOUND_TYPES)
        raise ValueError(f"audio: expected samples (n,) of {kinds}, got {samples.shape} {samples.dtype}")
    check_rate(rate, 1, "audio")
    check_length(len(samples) / rate, "audio")
    scaled = samples / (1.0 if samples.dtype.kind == "f" else 2.0 ** (8 * samples.dtype.itemsize - 1))
    check_scale(float(np.abs(scaled).max(initial=0)), "audio")
    return scaled.astype(np.float32), rate
