"""Sound files as waveforms: decoded, mono, 16 kHz. No other module decodes sound.

`audio` makes the filter bank that BEATs reads.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import soundfile
import soxr

from dataset.media.lengths import NUM_FRAMES
from utils.whole_files import whole_file

SAMPLE_RATE = 16_000
NUM_SEGMENTS = NUM_FRAMES  # one for each video frame, for a sound of any duration
WINDOW = 400  # 25 ms
HOP = 160  # 10 ms
MIN_FRAMES = 16  # the encoder's patches are 16 frames long


def load_waveform(path: str | Path) -> np.ndarray:
    """(num_samples,) float32 in [-1, 1], mono, 16 kHz.

    Channels are averaged before soxr's HQ resampling and the length is rounded up, the way librosa.load does it.
    Raises FileNotFoundError, or ValueError naming a file that cannot be decoded.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"audio {path}: no such file")
    try:
        channels, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise ValueError(f"audio {path}: expected a readable sound file, got: {error}") from error
    waveform = channels.mean(axis=1)
    return waveform if rate == SAMPLE_RATE else _resample(waveform, rate)


def write_wav(path: Path, samples: np.ndarray, rate: int, subtype: str = "FLOAT") -> None:
    """Write (num_samples,) or (num_samples, channels) in [-1, 1] as a WAV file. `subtype`: FLOAT or PCM_16."""
    with whole_file(path) as temporary:
        soundfile.write(temporary, samples, rate, subtype=subtype, format="WAV")


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


def _resample(waveform: np.ndarray, rate: int) -> np.ndarray:
    expected = math.ceil(len(waveform) * (SAMPLE_RATE / rate))
    resampled = soxr.resample(waveform, rate, SAMPLE_RATE, quality="HQ")[:expected]
    return np.pad(resampled, (0, expected - len(resampled)))
