"""The filter bank that BEATs reads, from a sound file or a waveform.

`waveform` decodes sound files; `dataset.benchmark` knows which file belongs to a sample.
"""

import warnings
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from transformers.audio_utils import mel_filter_bank

from dataset.media.waveform import HOP, NUM_SEGMENTS, SAMPLE_RATE, WINDOW, check_waveform, load_waveform

MEL_BINS = 128
FFT_SIZE = 512
PREEMPHASIS = 0.97
# AudioSet statistics of BEATs (arXiv 2212.09058), for waveforms scaled to 16 bit integers.
INT16_SCALE = 2**15
FBANK_MEAN = 15.41663
FBANK_STD = 6.55582
# The lowest triangles are narrower than an FFT bin, so some are empty. BEATs was trained with them.
warnings.filterwarnings("ignore", message="At least one mel filter has all zero values")


def read_fbank(path: str | Path) -> Tensor:
    """A sound file as (10, L, 128) float32. ValueError naming the file, as `load_waveform` and `compute_fbank`."""
    return compute_fbank(load_waveform(path), path)


def read_seconds(path: str | Path) -> Tensor:
    """A sound file of any length as (seconds, 98, 128) float32; the last second is filled up with silence.

    Raises FileNotFoundError, or ValueError naming a file that is no sound or is empty.
    """
    waveform = load_waveform(path)
    if not len(waveform):
        raise ValueError(f"audio {path}: expected samples, got none")
    padded = np.pad(waveform, (0, -len(waveform) % SAMPLE_RATE))
    seconds = torch.from_numpy(padded).float().view(-1, SAMPLE_RATE)
    return _normalised(kaldi_fbank(seconds * INT16_SCALE))


def compute_fbank(waveform: np.ndarray, path: str | Path = "waveform") -> Tensor:
    """(num_samples,) 16 kHz -> (10, L, 128) float32 normalised log filter bank of ten equal parts (10 s: L = 98).

    Samples that do not fill a tenth are dropped. Raises ValueError naming `path` for another shape, NaN or
    infinite samples, and audio under about 1.75 s (fewer than 16 frames in a tenth).
    """
    check_waveform(waveform, path)
    length = len(waveform) // NUM_SEGMENTS
    segments = torch.from_numpy(waveform[: NUM_SEGMENTS * length]).float().view(NUM_SEGMENTS, length)
    return _normalised(kaldi_fbank(segments * INT16_SCALE))


def _normalised(fbank: Tensor) -> Tensor:
    return (fbank - FBANK_MEAN) / (2 * FBANK_STD)


def kaldi_fbank(waveforms: Tensor) -> Tensor:
    """(..., num_samples) in 16 bit range -> (..., L, 128) natural-log mel energies, Kaldi's defaults without dither.

    L = 1 + (num_samples - 400) // 160: only whole windows count (Kaldi's snip_edges).
    """
    frames = waveforms.unfold(-1, WINDOW, HOP)
    frames = frames - frames.mean(dim=-1, keepdim=True)
    previous = torch.cat([frames[..., :1], frames[..., :-1]], dim=-1)
    spectrum = torch.fft.rfft((frames - PREEMPHASIS * previous) * _povey_window(), n=FFT_SIZE)
    energies = spectrum.abs().square() @ _mel_matrix()
    return energies.clamp(min=torch.finfo(torch.float32).eps).log()


@lru_cache(maxsize=1)
def _povey_window() -> Tensor:
    """(400,) Kaldi's default window, a Hann window to the power 0.85."""
    return torch.hann_window(WINDOW, periodic=False, dtype=torch.float64).pow(0.85).float()


@lru_cache(maxsize=1)
def _mel_matrix() -> Tensor:
    """(257, 128) triangles on the mel scale from 20 Hz to 8 kHz."""
    matrix = mel_filter_bank(
        num_frequency_bins=FFT_SIZE // 2 + 1,
        num_mel_filters=MEL_BINS,
        min_frequency=20.0,
        max_frequency=SAMPLE_RATE / 2,
        sampling_rate=SAMPLE_RATE,
        mel_scale="kaldi",
        triangularize_in_mel_space=True,
    )
    return torch.from_numpy(matrix).float()
