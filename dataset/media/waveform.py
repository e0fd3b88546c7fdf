"""Sound files as waveforms: mono, 16 kHz. `sound_files` decodes them.

`audio` makes the filter bank that BEATs reads.
"""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
import soxr

from dataset.media.lengths import CLIP_SECONDS, NUM_FRAMES, SLACK
from dataset.media.sound_files import Sound, open_sound
from utils.whole_files import write_bytes

WAV_HEADER = 256  # bytes, in which the facts about a WAV file stand
SAMPLE_RATE = 16_000
NUM_SEGMENTS = NUM_FRAMES  # one for each video frame, for a sound of any duration
WINDOW = 400  # 25 ms
HOP = 160  # 10 ms
MIN_FRAMES = 16  # the encoder's patches are 16 frames long


class Heard(NamedTuple):
    """`waveform` (num_samples,) float32, mono, 16 kHz. `doubt`: a sentence, or None."""

    waveform: np.ndarray
    doubt: str | None


def load_waveform(path: str | Path) -> np.ndarray:
    """(num_samples,) float32 in [-1, 1], mono, 16 kHz.

    Channels are averaged before soxr's HQ resampling and the length is rounded up, the way librosa.load does it.
    Raises FileNotFoundError, or ValueError naming a file that is no sound; `sound_files` knows when.
    """
    return _at_16_khz(open_sound(path))


def examine_sound(path: str | Path) -> Heard:
    """The sound of a clip's ten frames and what is doubtful about it; errors as `load_waveform`, `check_waveform`."""
    sound = open_sound(path)
    waveform, seconds = _at_16_khz(sound), len(sound.mono) / sound.rate
    check_waveform(waveform, path)
    doubts = [sound.doubt] if sound.doubt else []
    if abs(seconds - CLIP_SECONDS) > SLACK:
        doubts.append(f"lasts {seconds:.1f} s, not {CLIP_SECONDS} s; each frame gets {seconds / NUM_FRAMES:.2f} s")
    return Heard(waveform, "; ".join(doubts) or None)


def write_wav(path: Path, samples: np.ndarray, rate: int, subtype: str = "FLOAT") -> None:
    """Write (num_samples,) or (num_samples, channels) in [-1, 1] as a WAV file. `subtype`: FLOAT or PCM_16.

    The same samples give the same bytes.
    """
    soundfile.write(content := io.BytesIO(), samples, rate, subtype=subtype, format="WAV")
    written = bytearray(content.getvalue())
    if (peak := written.find(b"PEAK", 0, WAV_HEADER)) >= 0:
        written[peak + 12 : peak + 16] = bytes(4)  # when it was written
    write_bytes(path, bytes(written))  # libsndfile itself does not say that a disk is full


def check_waveform(waveform: np.ndarray, path: str | Path = "waveform") -> None:
    """Check that `audio.compute_fbank` can use the waveform.

    Raises ValueError naming `path` for another shape than (num_samples,), NaN or infinite samples, and audio under
    about 1.75 s (fewer than 16 frames in a tenth).
    """
    if waveform.ndim != 1:
        raise ValueError(f"audio {path}: expected one channel, shape (num_samples,), got shape {waveform.shape}")
    needed = NUM_SEGMENTS * (WINDOW + (MIN_FRAMES - 1) * HOP)
    if len(waveform) < needed:
        seconds = f"at least {needed / SAMPLE_RATE:.2f} s, got {len(waveform) / SAMPLE_RATE:.2f} s"
        raise ValueError(f"audio {path}: too short, expected {seconds}")
    if not np.isfinite(waveform).all():
        raise ValueError(f"audio {path}: expected finite samples, got NaN or infinity")


def _at_16_khz(sound: Sound) -> np.ndarray:
    return sound.mono if sound.rate == SAMPLE_RATE else _resample(sound.mono, sound.rate)


def _resample(waveform: np.ndarray, rate: int) -> np.ndarray:
    expected = math.ceil(len(waveform) * (SAMPLE_RATE / rate))
    resampled = soxr.resample(waveform, rate, SAMPLE_RATE, quality="HQ")[:expected]
    return np.pad(resampled, (0, expected - len(resampled)))
