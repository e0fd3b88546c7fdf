"""Pictures and sounds of a report's gallery, as small files.

A mask is a picture with transparent parts, which the page lays over the frame: a tint with an outline. So a frame is
written once for all its masks. What a mask keeps of its frame is put together by the page.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import soundfile
from PIL import Image
from tqdm import tqdm

from dataset.media.images import read_mask, read_upright_frame, resize_mask
from dataset.media.waveform import SAMPLE_RATE, load_waveform
from scripts.reporting.audits import Shown
from utils.reports.overlay import BEHIND_EDGE, EDGE, TINT, TINT_ALPHA, size_within

MEDIA = "media"  # the folder in the report
STRIP_FRAME = 96  # pixels, the longer side of each of the ten frames
JPEG_QUALITY = 80
_INSIDE, _OUTLINE = 1, 2  # numbers in the palette of a mask's picture; 0 is outside
_TINT = ((0, 0, 0, 0), (*TINT, round(255 * TINT_ALPHA)), (*EDGE, 255))
_TRUTH = ((0, 0, 0, 0), (0, 0, 0, 0), (*BEHIND_EDGE, 255))


@dataclass(frozen=True)
class Pictures:
    """File names of one audit's media, relative to the report. `size`: (width, height) of frame and masks."""

    frame: str
    tint: str
    truth: str | None
    strip: str
    sound: str
    size: tuple[int, int]


def draw_gallery(audits: Sequence[Shown], folder: Path, picture_size: int, num_workers: int) -> list[Pictures]:
    """The pictures of all audits, in order. Frames and clips that audits share are read and written once."""
    (folder / MEDIA).mkdir(parents=True, exist_ok=True)
    frames = _numbered(audits, lambda one: one.sample.frame_path)
    clips = _numbered(audits, _clip_of)
    truths = {path: n for n, path in enumerate(dict.fromkeys(one.truth.mask_path for one in audits if one.truth))}
    jobs = [(partial(_draw_frame, truths), number, own) for number, own in frames.values()]
    jobs += [(_draw_clip, number, own) for number, own in clips.values()]
    sizes: dict[Hashable, tuple[int, int]] = {}
    with ThreadPoolExecutor(num_workers) as pool:
        done = pool.map(lambda job: job[0](audits, job[1], job[2], folder / MEDIA, picture_size), jobs)
        for (_, _, own), size in zip(jobs, tqdm(done, "pictures", len(jobs), unit="file"), strict=True):
            if size:
                sizes[audits[own[0]].sample.frame_path] = size
    return [
        Pictures(
            frame=f"{MEDIA}/frame-{frames[audit.sample.frame_path][0]}.jpg",
            tint=f"{MEDIA}/mask-{number}.png",
            truth=f"{MEDIA}/truth-{truths[audit.truth.mask_path]}.png" if audit.truth else None,
            strip=f"{MEDIA}/clip-{clips[_clip_of(audit)][0]}.jpg",
            sound=f"{MEDIA}/clip-{clips[_clip_of(audit)][0]}.mp3",
            size=sizes[audit.sample.frame_path],
        )
        for number, audit in enumerate(audits)
    ]


def _clip_of(audit: Shown) -> tuple:
    """What is shown and heard beside the frame: of a longer clip it depends on the frame."""
    return audit.sample.video_paths, audit.sample.audio_path


def _numbered(audits: Sequence[Shown], key: Callable[[Shown], Hashable]) -> dict[Hashable, tuple[int, list[int]]]:
    """Key -> its number, and the numbers of the audits that have it."""
    groups: dict[Hashable, list[int]] = {}
    for number, audit in enumerate(audits):
        groups.setdefault(key(audit), []).append(number)
    return {name: (number, own) for number, (name, own) in enumerate(groups.items())}


def _draw_frame(
    truths: dict[Path, int], audits: Sequence[Shown], number: int, own: list[int], folder: Path, longest: int
) -> tuple[int, int]:
    """Write a frame and all its masks; (width, height) of the pictures. `truths`: true masks with their numbers."""
    frame = read_upright_frame(audits[own[0]].sample.frame_path)
    size = size_within(frame, longest, longest)
    _write_jpeg(folder / f"frame-{number}.jpg", cv2.resize(frame, size, interpolation=cv2.INTER_AREA))
    for n in own:
        _write_palette(folder / f"mask-{n}.png", _areas(read_mask(audits[n].candidate.mask_path), frame, size), _TINT)
    for path in dict.fromkeys(audits[n].truth.mask_path for n in own if audits[n].truth):
        _write_palette(folder / f"truth-{truths[path]}.png", _areas(read_mask(path), frame, size), _TRUTH)
    return size


def _draw_clip(audits: Sequence[Shown], number: int, own: list[int], folder: Path, longest: int) -> None:
    """Write the ten frames side by side, and the sound."""
    sample = audits[own[0]].sample
    frames = [read_upright_frame(path) for path in sample.video_paths]
    size = size_within(frames[0], STRIP_FRAME, STRIP_FRAME)
    _write_jpeg(
        folder / f"clip-{number}.jpg", np.hstack([cv2.resize(f, size, interpolation=cv2.INTER_AREA) for f in frames])
    )
    sound = load_waveform(sample.audio_path)
    soundfile.write(folder / f"clip-{number}.mp3", np.clip(sound, -1, 1), SAMPLE_RATE, format="MP3")


def _areas(mask: np.ndarray, frame: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(h, w) uint8: 0 outside of the mask, _INSIDE, _OUTLINE."""
    fitted = resize_mask(mask, frame.shape[:2])
    small = (cv2.resize(fitted.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5).astype(np.uint8)
    outlines, _ = cv2.findContours(small, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(small * _INSIDE, outlines, -1, _OUTLINE, 1)


def _write_palette(path: Path, areas: np.ndarray, colours: tuple[tuple[int, int, int, int], ...]) -> None:
    picture = Image.fromarray(areas, "P")
    picture.putpalette([part for colour in colours for part in colour[:3]])
    picture.save(path, transparency=bytes(colour[3] for colour in colours))


def _write_jpeg(path: Path, pixels: np.ndarray) -> None:
    Image.fromarray(pixels).save(path, quality=JPEG_QUALITY)
