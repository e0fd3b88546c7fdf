"""A video file -> ten frames and a sound file, as a sample of the benchmark has them.

`video` reads the files. `images` and `audio` turn frames and sound into tensors.

The clip is read as a player shows it. It begins with the first picture and ends with the longer one of its streams. If
the pictures end earlier, the last one is repeated; if sound is missing, it is silence. A rotation by quarter turns in
the metadata is applied.
Mirroring, interlacing and non-square pixels are left as they are.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np

from dataset.media.images import write_picture
from dataset.media.lengths import CLIP_SECONDS, NUM_FRAMES, SLACK
from dataset.media.sound_files import check_scale, doubts_of_samples, known_doubt
from dataset.media.video import CUT_SLACK, decode, doubt_of, last_second, upright
from dataset.media.waveform import SAMPLE_RATE, write_wav
from utils.whole_files import own_folder

logger = logging.getLogger(__name__)

SAME_INSTANT = 0.002  # some containers round times to milliseconds
RESYNC = 0.05  # sound that is further than this from its time stamp is moved to it


@dataclass(frozen=True)
class Sound:
    """Samples (num_samples, channels) float32 from the clip's beginning, and where sound was found in them, in s."""

    samples: np.ndarray
    rate: int
    begins: float
    ends: float


class Extracted(NamedTuple):
    """frames/0.png to 9.png, audio.wav, and when each frame is shown, in seconds from the video's beginning."""

    frame_paths: list[Path]
    audio_path: Path
    moments: list[float]


def extract_clip(video_path: str | Path, folder: str | Path, sound_path: str | Path | None = None):
    """(paths of frames/0.png to 9.png, path of audio.wav) under `folder`: `extract_moments` from the beginning on."""
    return extract_moments(video_path, folder, sound_path)[:2]


def extract_moments(
    video_path: str | Path,
    folder: str | Path,
    sound_path: str | Path | None = None,
    at: float | None = None,
    silent: bool = False,
) -> Extracted:
    """Write the frames and the sound of a video under `folder`; `sound_path` replaces the video's own sound.

    Ten frames, one a second, and ten seconds of sound with its own rate and channels. A longer clip is cut, of a
    shorter one the frames are spread evenly over its duration; both are logged as warnings. The moment `at`, in
    seconds, is among those shown: from ten seconds on, the clip is the ten seconds that end with it. `silent`: the
    sound is silence. Reads the video twice and holds one frame of it at a time. Raises FileNotFoundError, and
    ValueError naming the file that cannot be used.
    """
    video_path, folder = Path(video_path), Path(folder)
    start = max(0.0, at - (NUM_FRAMES - 1)) if at is not None else 0.0
    times, picture_ends = _frame_times(video_path, start)
    if at is not None and at > picture_ends:
        raise ValueError(f"{video_path}: expected a moment within its {picture_ends:.1f} s, got {at:g} s")
    picture_ends -= start
    if silent:
        sound = Sound(np.zeros((CLIP_SECONDS * SAMPLE_RATE, 1), np.float32), SAMPLE_RATE, 0.0, picture_ends)
    elif sound_path:
        _tell(sound_path, known_doubt(sound_path))
        sound = _read_sound(Path(sound_path), skip=start)
    else:
        sound = _read_sound(video_path, begin=times[0], skip=start)
        _tell(video_path, "; ".join(doubts_of_samples(sound.samples.mean(axis=1), float(np.abs(sound.samples).max()))))
        _check_whole(video_path, times[0] + start, max(picture_ends, sound.ends))
    seconds = _clip_seconds(video_path, max(picture_ends, sound.ends), start)
    _warn_of_gaps(seconds, video_path, picture_ends, sound_path or video_path, sound)
    moments = start + np.arange(NUM_FRAMES) * seconds / NUM_FRAMES
    if at is not None:
        moments[np.abs(moments - at).argmin()] = at
    on_screen = np.searchsorted(np.maximum.accumulate(times), times[0] + moments + SAME_INSTANT, side="right") - 1
    frame_paths = _write_frames(video_path, on_screen.tolist(), folder / "frames")
    audio_path = folder / "audio.wav"
    _write_sound(sound, seconds, audio_path, sound_path or video_path)
    return Extracted(frame_paths, audio_path, moments.tolist())


def cut_sound(sound_path: str | Path, folder: str | Path, start: float) -> Path:
    """Write ten seconds of a sound file from `start` s on, as audio.wav under `folder`. Errors as `extract_moments`."""
    _tell(sound_path, known_doubt(sound_path))
    sound, path = _read_sound(Path(sound_path), skip=start), own_folder(Path(folder)) / "audio.wav"
    _warn_of_gaps(CLIP_SECONDS, Path(sound_path), CLIP_SECONDS, Path(sound_path), sound)
    _write_sound(sound, CLIP_SECONDS, path, sound_path)
    return path


def _frame_times(path: Path, start: float) -> tuple[list[float], float]:
    """Times on the file's clock of the frames up to ten seconds after `start`, and how long the picture lasts, in s."""
    times, ends = [], 0.0
    for time, length, frame in decode(path, "video"):
        if not times and (doubt := doubt_of(frame)):
            logger.warning("%s: %s", path, doubt)
        times.append(time)
        ends = max(ends, time + length - times[0])
        if ends > start + CLIP_SECONDS + SLACK:
            break
    return times, ends


def _write_frames(path: Path, on_screen: list[int], folder: Path) -> list[Path]:
    """Write the frames with these positions in the stream as PNG, upright; the same position may come several times."""
    own_folder(folder)
    frame_paths = [folder / f"{i}.png" for i in range(len(on_screen))]
    for position, (_, _, frame) in enumerate(decode(path, "video")):
        if position in on_screen:
            for i in (i for i, wanted in enumerate(on_screen) if wanted == position):
                write_picture(frame_paths[i], upright(frame), compress_level=1)
        if position >= max(on_screen):
            break
    return frame_paths


def _read_sound(path: Path, begin: float | None = None, skip: float = 0.0) -> Sound:
    """The sound from `skip` after `begin` on the file's clock (default: its own beginning), ten seconds and some slack
    at most."""
    samples = rate = resampler = None
    first, position = None, 0
    for time, _, frame in decode(path, "audio"):
        if samples is None:
            begin = (time if begin is None else begin) + skip
            rate, channels = frame.sample_rate, frame.layout.nb_channels
            samples = np.zeros((round((CLIP_SECONDS + SLACK) * rate), channels), np.float32)
            resampler = av.AudioResampler(format="fltp", layout=frame.layout, rate=rate)  # changes the format only
        due = round((time - begin) * rate)
        if first is None or abs(due - position) > RESYNC * rate:
            position = due
        for block in _float_blocks(resampler, frame, path, time):
            first = max(position, 0) if first is None and position + len(block) > 0 else first
            _place(samples, block, position)
            position += len(block)
        if position >= len(samples):
            break
    ends = min(max(position, 0), len(samples))
    return Sound(samples, rate, begins=min(first or 0, ends) / rate, ends=ends / rate)


def _float_blocks(resampler: av.AudioResampler, frame: av.AudioFrame, path: Path, time: float) -> list[np.ndarray]:
    try:
        return [block.to_ndarray().T for block in resampler.resample(frame)]
    except ValueError:
        raise ValueError(f"{path}: expected one sound format throughout, got a change at {time:.1f} s") from None


def _place(samples: np.ndarray, block: np.ndarray, position: int) -> None:
    """Copy a block of sound to its position, without the parts before the beginning and after the end."""
    start, stop = max(position, 0), min(position + len(block), len(samples))
    if start < stop:
        samples[start:stop] = block[start - position : stop - position]


def _write_sound(sound: Sound, seconds: float, path: Path, origin: str | Path) -> None:
    check_scale(float(np.abs(sound.samples).max()), f"audio {origin}")
    write_wav(path, sound.samples[: round(seconds * sound.rate)], sound.rate)


def _tell(path: str | Path, doubt: str | None) -> None:
    if doubt:
        logger.warning("%s: %s", path, doubt)


def _check_whole(path: Path, begin: float, available: float) -> None:
    """Raises ValueError for a file that ends before its header says."""
    end = begin + available
    if available < CLIP_SECONDS and last_second(path) - end > CUT_SLACK:
        got = f"{end:.1f} s: it is cut short"
        raise ValueError(f"{path}: expected {last_second(path):.1f} s as its header says, got {got}")


def _clip_seconds(path: Path, available: float, start: float) -> float:
    if start:
        logger.warning("%s: longer than %g s; ten seconds from %.1f s on are used", path, CLIP_SECONDS, start)
    elif available > CLIP_SECONDS + SLACK:
        logger.warning("%s: longer than %g s; its first ten seconds are used", path, CLIP_SECONDS)
    elif available < CLIP_SECONDS - SLACK:
        spacing = available / NUM_FRAMES
        logger.warning(
            "%s: lasts %.1f s, not %g s; the frames are %.2f s apart", path, available, CLIP_SECONDS, spacing
        )
        return available
    return CLIP_SECONDS


def _warn_of_gaps(seconds: float, path: Path, picture_ends: float, sound_path: Path, sound: Sound) -> None:
    if picture_ends < seconds - SLACK:
        logger.warning("%s: the picture ends at %.1f s; its last frame stands still", path, picture_ends)
    if sound.begins > SLACK or sound.ends < seconds - SLACK:
        logger.warning("%s: sound from %.1f to %.1f s, silence elsewhere", sound_path, sound.begins, sound.ends)
