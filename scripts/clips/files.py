"""A request's clip as ten frames and a sound file, and its mask as a picture, as a sample of the benchmark has them."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import NamedTuple

import numpy as np

from configs.audit import check_frame
from dataset.benchmark.samples import AuditSample, Candidate
from dataset.media.clip import cut_sound, extract_moments
from dataset.media.frame_folder import Chosen, choose_frames
from dataset.media.images import encode_mask, resize_mask, write_picture
from dataset.media.lengths import CLIP_SECONDS, NUM_FRAMES
from dataset.media.usable import Usable, fit_doubt, log_doubts, size_doubt, usable_frame, usable_mask, usable_sound
from dataset.media.waveform import SAMPLE_RATE, write_wav
from scripts.answering.answerer import AuditRequest
from scripts.clips.request import ClipRequest, is_path
from utils.audit import Audit
from utils.whole_files import own_folder, write_bytes

logger = logging.getLogger("audit")
NO_SOUND = "; no sound: silence is heard"
EVERY_PLACE = list(range(NUM_FRAMES))


class ClipFiles(NamedTuple):
    """Ten frames in order, and the sound."""

    frame_paths: list[Path]
    audio_path: Path
    frame: int | None  # which of them is the audited one, where it is not the request's `frame`
    shown: str  # which moments of the clip they are, in words


def find_clip(request: ClipRequest, folder: Path) -> ClipFiles:
    """The files of a request's clip; what comes from a video or from arrays is written to `folder`.

    Logs a warning where the clip does not last ten seconds. Raises FileNotFoundError, and ValueError naming the file
    that cannot be used.
    """
    audio_path = request.audio
    if audio_path is not None and not is_path(audio_path):
        audio_path = _write_sound(*request.audio, folder / ("given.wav" if request.video else "audio.wav"))
    if request.video is not None:
        return _clip_of_video(request, folder, audio_path)
    if request.no_audio:
        audio_path = _write_sound(np.zeros(CLIP_SECONDS * SAMPLE_RATE), SAMPLE_RATE, folder / "silence.wav")
    (frame_paths, audited, places, start), shown = _find_pictures(request, folder)
    frame = None if places == EVERY_PLACE else audited
    audio_path = cut_sound(audio_path, folder, start) if start and not request.no_audio else Path(audio_path)
    verdicts = {path: usable_frame(path) for path in dict.fromkeys(frame_paths)}
    given = request.frames if is_path(request.frames) else "frames"
    verdicts[given] = Usable(size_doubt(found.size for found in verdicts.values()))
    if not request.no_audio:
        verdicts[audio_path if is_path(request.audio) else "audio"] = usable_sound(audio_path)
    log_doubts(verdicts)
    return ClipFiles(frame_paths, audio_path, frame, shown + NO_SOUND * request.no_audio)


def _clip_of_video(request: ClipRequest, folder: Path, audio_path: Path | None) -> ClipFiles:
    frame_paths, sound, moments = extract_moments(request.video, folder, audio_path, request.at, request.no_audio)
    frame = None if request.at is None else moments.index(request.at)
    shown = "at " + ", ".join(f"{moment:.1f}" for moment in moments) + " s"
    return ClipFiles(frame_paths, sound, frame, shown + NO_SOUND * request.no_audio)


def _find_pictures(request: ClipRequest, folder: Path) -> tuple[Chosen, str]:
    """Ten frames, and what they are in words."""
    audited = request.frame or 0
    if request.still:
        picture = _find_still(request.frames, folder)
        return Chosen([picture] * NUM_FRAMES, audited, EVERY_PLACE), "one picture for all ten frames"
    if not is_path(request.frames):
        return Chosen(_write_frames(request.frames, folder / "frames"), audited, EVERY_PLACE), "all ten frames"
    chosen = choose_frames(request.frames, request.frame, request.fps)
    shown = f"frames {', '.join(map(str, chosen.places))}, counted from 0"
    if request.fps:
        return chosen, f"{shown}, at {', '.join(f'{place / request.fps:.1f}' for place in chosen.places)} s"
    if chosen.places == EVERY_PLACE:
        return chosen, "all ten frames"
    logger.warning("%s: not ten frames; shown are %s", request.frames, shown)
    return chosen, shown


def _find_still(picture: Path | np.ndarray, folder: Path) -> Path:
    if not is_path(picture):
        return _write_frames(picture[None], folder / "frames")[0]
    if Path(picture).is_dir():
        raise ValueError(f"--still: expected one picture as --frames, got the folder {picture}")
    return Path(picture)


def find_mask(request: ClipRequest, path: Path) -> tuple[Path, str]:
    """(the mask's picture, its name); a mask that is an array is written to `path`."""
    if is_path(request.mask):
        path, name = Path(request.mask), str(request.mask)
    else:
        write_bytes(path, encode_mask(request.mask))
        name = "mask"
    log_doubts({name: usable_mask(path)})
    return path, name


def audit_request(request: ClipRequest, clip: ClipFiles, mask: tuple[Path, str], name: str = "clip") -> AuditRequest:
    """The request as a sample of the benchmark's image protocol; nothing is known to be true of its mask.

    `name`: what the clip is called.
    """
    frame = clip.frame if clip.frame is not None else request.frame or 0
    check_frame(frame)
    sample = AuditSample(
        uid=name,
        vid=name,
        expression=request.expression.strip(),
        frame_idx=frame,
        frame_path=clip.frame_paths[frame],
        video_paths=tuple(clip.frame_paths),
        audio_path=clip.audio_path,
        candidates=(),  # so that the masks of one frame have equal samples, whose prompt is read once
        protocol="image",
    )
    return AuditRequest(sample, Candidate(*mask, Audit(None, None, None)))


def fitted_mask(mask: np.ndarray, size: tuple[int, int], name: str) -> np.ndarray:
    """(H, W) bool -> the mask in its frame's `size` (height, width).

    Logs a warning for a mask that is empty or of another size.
    """
    if doubt := fit_doubt(mask.shape, size):
        logger.warning("%s: %s; it is resized", name, doubt)
    if not mask.any():
        logger.warning("%s: the mask is empty", name)
    return resize_mask(mask, size)


def media_files(request: AuditRequest) -> list[Path]:
    """The files that the auditor is given: frames, sound and mask."""
    return [*request.sample.video_paths, request.sample.audio_path, request.candidate.mask_path]


def _write_frames(frames: np.ndarray, folder: Path) -> list[Path]:
    own_folder(folder)
    paths = [folder / f"{i}.png" for i in range(len(frames))]
    for path, frame in zip(paths, frames, strict=True):
        write_picture(path, frame, compress_level=1)
    return paths


def _write_sound(samples: np.ndarray, rate: int, path: Path) -> Path:
    own_folder(path.parent)
    write_wav(path, samples, rate)
    return path
