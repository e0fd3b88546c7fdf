"""Sound files, opened with care: known containers, bounded before decoding, decoded to the end that they claim.

`waveform` makes 16 kHz of them. No other module opens sound files for reading.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from dataset.media.sound_headers import CUT_SLACK, UNKNOWN_LENGTH, doubts_of_header

MAX_SECONDS = 120  # twelve times the length of a clip
LOWEST_RATE, HIGHEST_RATE = 4_000, 768_000
MAX_CHANNELS = 64
MAX_AMPLITUDE = 10.0  # full scale is 1.0; lossy files and unlimited mixes go a little beyond it
LOUD = 2.0  # samples beyond it are cut off by every player
FAINT = 2e-5  # less than one step of 16 bits
# Containers whose headers say how long they are, so that a cut is noticed.
KNOWN_CONTAINERS = ("WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC", "OGG", "MP3")


class _ForwardOnly(soundfile.SoundFile):
    """Read without seeking, which fails in streams of unknown length."""

    def seekable(self) -> bool:
        return False


class Sound(NamedTuple):
    """`mono` (num_samples,) float32, the mean of the channels. `doubt`: a sentence, or None."""

    mono: np.ndarray
    rate: int
    doubt: str | None


def open_sound(path: str | Path) -> Sound:
    """The file's samples in its own rate.

    Raises FileNotFoundError, or ValueError naming a file that is damaged, cut short, of an unknown container, too long,
    or of a rate or scale that no recording has.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"audio {path}: no such file")
    try:
        with _ForwardOnly(path) as file:
            _check_header(file, path)
            doubts = list(doubts_of_header(file, path))
            blocks = list(_mono_blocks(file, path))
            mono = np.concatenate([np.zeros(0, np.float32), *(block for block, _ in blocks)])
            _check_whole(file, len(mono), path)
    except (soundfile.LibsndfileError, OSError, RuntimeError, TypeError) as error:
        raise ValueError(f"audio {path}: expected a readable sound file, got: {error}") from error
    loudest = float(np.max([0.0, *(peak for _, peak in blocks)]))  # NaN, if there is one
    check_scale(loudest, f"audio {path}")
    return Sound(mono, file.samplerate, "; ".join([*doubts, *doubts_of_samples(mono, loudest)]) or None)


def known_doubt(path: str | Path) -> str | None:
    """The doubt and errors of `open_sound` for a file of a container that it knows, none for others, as PyAV's."""
    try:
        with soundfile.SoundFile(path):
            pass
    except (soundfile.LibsndfileError, OSError, RuntimeError, TypeError):
        return None
    return open_sound(path).doubt


def check_rate(rate: float, channels: int, where: str) -> None:
    """Raises ValueError for a rate or a number of channels that no recording has."""
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        wanted = f"from {LOWEST_RATE:,} to {HIGHEST_RATE:,} samples a second"
        raise ValueError(f"{where}: expected {wanted}, got {rate:,}")
    if not 1 <= channels <= MAX_CHANNELS:
        raise ValueError(f"{where}: expected 1 to {MAX_CHANNELS} channels, got {channels}")


def check_scale(loudest: float, where: str) -> None:
    """`loudest`: the highest absolute value of samples whose full scale is 1.0. Raises ValueError."""
    if not np.isfinite(loudest):
        raise ValueError(f"{where}: expected finite samples, got NaN or infinity")
    if loudest > MAX_AMPLITUDE:
        raise ValueError(f"{where}: expected samples from -1 to 1, got up to {loudest:.4g}")


def check_length(seconds: float, where: str) -> None:
    """Raises ValueError for a sound that is no clip's."""
    if seconds > MAX_SECONDS:
        raise ValueError(f"{where}: expected at most {MAX_SECONDS} s, got {seconds:,.0f} s")


def _check_header(file: _ForwardOnly, path: str | Path) -> None:
    where = f"audio {path}"
    if file.format not in KNOWN_CONTAINERS:
        raise ValueError(f"{where}: expected one of {', '.join(KNOWN_CONTAINERS)}, got {file.format}")
    check_rate(file.samplerate, file.channels, where)
    if file.frames < UNKNOWN_LENGTH * file.samplerate:  # of a stream the number is unknown, and huge
        check_length(file.frames / file.samplerate, where)


def _mono_blocks(file: _ForwardOnly, path: str | Path) -> Iterator[tuple[np.ndarray, float]]:
    """(mean of the channels, highest absolute value), a second at a time."""
    decoded = 0
    while len(block := file.read(file.samplerate, dtype="float32", always_2d=True)):
        decoded += len(block)
        check_length(decoded / file.samplerate, f"audio {path}")
        with np.errstate(invalid="ignore"):  # the highest value tells of infinities
            yield block.mean(axis=1), float(np.abs(block).max())


def _check_whole(file: _ForwardOnly, decoded: int, path: str | Path) -> None:
    missing = (file.frames - decoded) / file.samplerate
    if CUT_SLACK < missing < UNKNOWN_LENGTH:
        said, got = (f"{count / file.samplerate:.1f} s" for count in (file.frames, decoded))
        raise ValueError(f"audio {path}: expected {said} as its header says, got {got}: it is cut short")


def doubts_of_samples(mono: np.ndarray, loudest: float) -> Iterator[str]:
    """`mono` (num_samples,), the mean of channels whose highest absolute value is `loudest`."""
    if loudest > LOUD:
        yield f"expected samples from -1 to 1, got up to {loudest:.4g}"
    elif 0 < loudest < FAINT:
        yield f"its loudest sample is {loudest:.1e} of full scale, which nobody hears"
    elif loudest >= FAINT and np.abs(mono).max() < FAINT:
        yield "its channels cancel each other out: their mean is silence"
    elif loudest >= FAINT and np.ptp(mono) < FAINT:
        yield f"its samples are all {mono[0]:.3g}, which nobody hears"
