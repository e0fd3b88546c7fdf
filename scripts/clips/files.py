"""A request's clip as ten frames and a sound file, and its mask as a picture, as a sample of the benchmark has them."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dataset.benchmark.samples import AuditSample, Candidate
from dataset.media.clip import extract_clip
from dataset.media.frame_folder import find_frames
from dataset.media.images import encode_mask, resize_mask, write_picture
from dataset.media.usable import Usable, fit_doubt, log_doubts, size_doubt, usable_frame, usable_mask, usable_sound
from dataset.media.waveform import write_wav
from scripts.answering.answerer import AuditRequest
from scripts.clips.request import ClipRequest, is_path
from utils.audit import Audit
from utils.whole_files import write_bytes

logger = logging.getLogger("audit")


class ClipFiles(NamedTuple):
    """Ten frames in order, and the sound."""

    frame_paths: list[Path]
    audio_path: Path


def find_clip(request: ClipRequest, folder: Path) -> ClipFiles:
    """The files of a request's clip; what comes from a video or from arrays is written to `folder`.

    Logs a warning where the clip does not last ten seconds. Raises FileNotFoundError, and ValueError naming the file
    that cannot be used.
    """
    audio_path = request.audio
    if audio_path is not None and not is_path(audio_path):
        audio_path = _write_sound(*request.audio, folder / ("given.wav" if request.video else "audio.wav"))
    if request.video is not None:
        return ClipFiles(*extract_clip(request.video, folder, audio_path))
    is_folder, audio_path = is_path(request.frames), Path(audio_path)
    frame_paths = find_frames(request.frames) if is_folder else _write_frames(request.frames, folder / "frames")
    verdicts = {path: usable_frame(path) for path in frame_paths}
    verdicts[request.frames if is_folder else "frames"] = Usable(size_doubt(found.size for found in verdicts.values()))
    verdicts[audio_path if is_path(request.audio) else "audio"] = usable_sound(audio_path)
    log_doubts(verdicts)
    return ClipFiles(frame_paths, audio_path)


def find_mask(request: ClipRequest, path: Path) -> tuple[Path, str]:
    """(the mask's picture, its name); a mask that is an array is written to `path`."""
    if is_path(request.mask):
        path, name = Path(request.mask), str(request.mask)
    else:
        write_bytes(path, encode_mask(request.mask))
        name = "mask"
    log_doubts({name: usable_mask(path)})
    return path, name


def audit_request(request: ClipRequest, clip: ClipFiles, mask: tuple[Path, str]) -> AuditRequest:
    """The request as a sample of the benchmark's image protocol; nothing is known to be true of its mask."""
    sample = AuditSample(
        uid="clip",
        vid="clip",
        expression=request.expression.strip(),
        frame_idx=request.frame,
        frame_path=clip.frame_paths[request.frame],
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
    folder.mkdir(parents=True)
    paths = [folder / f"{i}.png" for i in range(len(frames))]
    for path, frame in zip(paths, frames, strict=True):
        write_picture(path, frame, compress_level=1)
    return paths


def _write_sound(samples: np.ndarray, rate: int, path: Path) -> Path:
    write_wav(path, samples, rate)
    return path
