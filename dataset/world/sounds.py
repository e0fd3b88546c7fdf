"""How the objects of a scene sound, and the scene's ten seconds of sound.

An object's texture decides its timbre. Whether the object sounds at all, how high, how loud and when, is drawn
independently of everything that can be seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dataset.media.lengths import CLIP_SECONDS
from dataset.media.waveform import SAMPLE_RATE

PITCHES = {"low": (180.0, 240.0), "high": (900.0, 1200.0)}  # Hz
LOUDNESS = {"loud": 0.25, "soft": 0.05}  # amplitude
NOISE_FLOOR = 0.002
FADE = 0.03  # seconds
FACETS = ("only", "silent", "low", "high", "loud", "soft", "first", "last")


@dataclass(frozen=True)
class Sound:
    """One object's sound. `onset` and `offset`: whole seconds; `pitch_hz`: its lowest or middle frequency."""

    pitch: str
    pitch_hz: float
    loudness: str
    onset: int
    offset: int


def draw_sounds(rng: np.random.Generator, count: int, facet: str | None = None) -> list[Sound | None]:
    """A sound, or None, for each of `count` objects. If `facet` is given, it is true of the first object only."""
    if facet == "only":
        return [_draw(rng, 0), *[None] * (count - 1)]
    if facet == "silent":
        return [None, *(_draw(rng, onset) for onset in _onsets(rng, count - 1, None))]
    sounding = int(rng.integers(2 if facet else 1, count + 1))
    others = {"low": "high", "high": "low", "loud": "soft", "soft": "loud"}
    sounds: list[Sound | None] = []
    for i, onset in enumerate(_onsets(rng, sounding, facet)):
        sounds.append(_draw(rng, onset, others.get(facet) if i else facet))
    return sounds + [None] * (count - sounding)


def _onsets(rng: np.random.Generator, count: int, facet: str | None) -> list[int]:
    """Onsets in seconds. For the facets first and last, the first onset is two to four seconds from all others."""
    apart = rng.integers(2, 5, count - 1).tolist()
    if facet == "first":
        start = int(rng.integers(0, 3))
        return [start, *(start + seconds for seconds in apart)]
    if facet == "last":
        start = int(rng.integers(4, 7))
        return [start, *(start - seconds for seconds in apart)]
    return rng.integers(0, 7, count).tolist()


def _draw(rng: np.random.Generator, onset: int, wanted: str | None = None) -> Sound:
    pitch = wanted if wanted in PITCHES else str(rng.choice(list(PITCHES)))
    loudness = wanted if wanted in LOUDNESS else str(rng.choice(list(LOUDNESS)))
    offset = int(rng.integers(onset + 3, CLIP_SECONDS + 1))
    return Sound(pitch, float(rng.uniform(*PITCHES[pitch])), loudness, onset, offset)


def waveform(sounds: list[tuple[str, Sound]], rng: np.random.Generator) -> np.ndarray:
    """All sounds mixed: (160000,) float in [-1, 1] at 16 kHz. `sounds`: pairs of an object's texture and its sound."""
    mixed = NOISE_FLOOR * rng.standard_normal(CLIP_SECONDS * SAMPLE_RATE)
    for texture, sound in sounds:
        start, stop = sound.onset * SAMPLE_RATE, sound.offset * SAMPLE_RATE
        tone = TIMBRES[texture](np.arange(stop - start) / SAMPLE_RATE, sound.pitch_hz, rng)
        tone *= np.clip(np.minimum(np.arange(len(tone)), np.arange(len(tone))[::-1]) / (FADE * SAMPLE_RATE), 0, 1)
        mixed[start:stop] += LOUDNESS[sound.loudness] * tone / np.sqrt(np.mean(np.square(tone))) / np.sqrt(2)
    return np.clip(mixed, -1, 1)


def _hum(seconds: np.ndarray, hz: float, rng: np.random.Generator) -> np.ndarray:
    return np.sin(2 * np.pi * hz * seconds)


def _buzz(seconds: np.ndarray, hz: float, rng: np.random.Generator) -> np.ndarray:
    """Up to 16 harmonics of equal strength."""
    harmonics = np.arange(1, int(min(7000 / hz, 16)) + 1)
    return sum(np.sin(2 * np.pi * hz * n * seconds + n * n) for n in harmonics)


def _ticks(seconds: np.ndarray, hz: float, rng: np.random.Generator) -> np.ndarray:
    """Six short bursts of a tone each second."""
    return np.sin(2 * np.pi * hz * seconds) * np.exp(-25 * (seconds * 6 % 1) / 6)


def _hiss(seconds: np.ndarray, hz: float, rng: np.random.Generator) -> np.ndarray:
    """Noise of one octave around the pitch."""
    spectrum = np.fft.rfft(rng.standard_normal(len(seconds)))
    frequencies = np.fft.rfftfreq(len(seconds), 1 / SAMPLE_RATE)
    spectrum[(frequencies < hz / 1.4) | (frequencies > hz * 1.4)] = 0
    return np.fft.irfft(spectrum, len(seconds))


def _warble(seconds: np.ndarray, hz: float, rng: np.random.Generator) -> np.ndarray:
    """A tone whose pitch goes up and down four times a second."""
    return np.sin(2 * np.pi * hz * seconds + 0.25 * hz / 4 * np.sin(2 * np.pi * 4 * seconds))


def _sweep(seconds: np.ndarray, hz: float, rng: np.random.Generator) -> np.ndarray:
    """A tone that rises by an octave and a half, twice each second."""
    phase = seconds * 2 % 1
    return np.sin(2 * np.pi * hz * 0.6 * (2 ** (1.5 * phase) - 1) / (1.5 * np.log(2)) / 2)


TIMBRES = {"plain": _hum, "striped": _buzz, "dotted": _ticks, "checked": _hiss, "ringed": _warble, "zigzag": _sweep}
