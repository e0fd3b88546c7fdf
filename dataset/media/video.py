"""Videos and the sound in them, decoded one frame after the other with PyAV. No other module opens videos.

`clip` makes ten frames and a sound file of a video; `dataset.batches.caption_dataset` takes frames for captions.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import av
import numpy as np

from dataset.media.pictures import MAX_PIXELS
from dataset.media.sound_files import check_rate

VIDEO_SUFFIXES = (".mp4", ".mkv", ".mov", ".webm", ".avi", ".m4v", ".mpg", ".mpeg", ".ogv", ".flv", ".wmv", ".ts")
# Containers whose headers say how long each stream is. In others the length is an estimate.
EXACT_LENGTHS = ("mov", "mp4", "avi")
CLOCK_LENGTHS = ("matroska", "webm")  # these say when the last stream ends
HDR_CURVES = (16, 18)  # PQ and HLG in ITU-T H.273
CUT_SLACK = 0.5  # seconds by which a header may be wrong
GREEN, ITS_BT709 = (30, 160, 60), (123, 97, 75)  # RGB, and the same in the YUV of HD video
COLOUR_SLACK = 5
NEEDED = "av>=17,<19"  # as in requirements.txt

Frame = av.VideoFrame | av.AudioFrame


def decode(path: Path, kind: str) -> Iterator[tuple[float, float, Frame]]:
    """(time, length, frame) of the first stream of a kind, "video" or "audio", in seconds on the file's clock.

    A frame without a time follows the one before. Raises FileNotFoundError, and ValueError naming a file that cannot be
    decoded, ends before its header says, or is too large.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such {kind} file")
    check_colours()
    begin = end = None
    try:
        # A playlist must not open other files or addresses.
        with av.open(f"file:{path}", options={"protocol_whitelist": "file"}) as container:
            stream = _first_stream(container, kind, path)
            claimed = _claimed_seconds(container, stream)
            for frame in container.decode(stream):
                time = frame.time if frame.time is not None else end or 0.0
                length = _length(frame, stream)
                begin, end = time if begin is None else begin, time + length
                yield time, length, frame
    except av.FFmpegError as error:
        got = f"an error{'' if end is None else f' after {end:.1f} s'}: {error.strerror}"
        raise ValueError(f"{path}: expected {kind} that can be decoded, got {got}") from None
    if end is None:
        raise ValueError(f"{path}: expected {kind} that can be decoded, got a stream without any frame")
    if claimed - (end - begin) > CUT_SLACK:
        got = f"{end - begin:.1f} s: it is cut short"
        raise ValueError(f"{path}: expected {claimed:.1f} s of {kind} as its header says, got {got}")


def doubt_of(frame: av.VideoFrame) -> str | None:
    """What a model sees otherwise than a viewer, or None."""
    doubts = []
    if frame.interlaced_frame:
        doubts.append("is interlaced; each picture shows lines of two moments")
    if frame.rotation % 90:
        doubts.append(f"is turned by {frame.rotation} degrees; the nearest quarter turn is used")
    if getattr(frame, "color_trc", None) in HDR_CURVES:
        doubts.append("has high dynamic range; its colours are paler than on a screen")
    return "; ".join(doubts) or None


def last_second(path: Path) -> float:
    """When the file ends on its own clock, as its header says; 0 where that is an estimate or unknown."""
    with av.open(f"file:{path}", options={"protocol_whitelist": "file"}) as container:
        is_exact = set(container.format.name.split(",")) & set(CLOCK_LENGTHS)
        return container.duration / av.time_base if is_exact and container.duration else 0.0


def upright(frame: av.VideoFrame) -> np.ndarray:
    """(H, W, 3) uint8 RGB, turned by the quarter turns that its metadata say."""
    return np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), k=round(frame.rotation / 90)))


@lru_cache(maxsize=1)
def check_colours() -> None:
    """Raises ValueError for a PyAV that decodes HD video, whose colours follow ITU-R BT.709, in wrong colours."""
    frame = av.VideoFrame(16, 16, "yuv420p")
    frame.colorspace = 1  # BT.709
    for plane, value in zip(frame.planes, ITS_BT709, strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    got = frame.to_ndarray(format="rgb24")[8, 8]
    if np.abs(got - np.array(GREEN)).max() > COLOUR_SLACK:
        colours = f"expected the green {GREEN} of HD video, got {tuple(got.tolist())}"
        raise ValueError(f"PyAV {av.__version__}: {colours}; install {NEEDED} (pip install '{NEEDED}')")


def _first_stream(container: av.container.InputContainer, kind: str, path: Path) -> av.stream.Stream:
    """Raises ValueError when there is none; the cover picture of a sound file does not count."""
    for stream in container.streams:
        if stream.type == kind and not stream.disposition & av.stream.Disposition.attached_pic:
            _check_stream(stream, kind, path)
            stream.thread_type = "AUTO"
            return stream
    got = " and ".join(sorted({s.type for s in container.streams})) or "nothing"
    raise ValueError(f"{path}: expected a file with {kind}, got one with {got} only")


def _check_stream(stream: av.stream.Stream, kind: str, path: Path) -> None:
    context = stream.codec_context
    if context is None:
        raise ValueError(f"{path}: expected {kind} that can be decoded, got an unknown codec")
    if kind == "audio":
        check_rate(context.sample_rate, context.layout.nb_channels, f"audio {path}")
    elif context.width * context.height > MAX_PIXELS:
        raise ValueError(f"{path}: expected at most {MAX_PIXELS:,} pixels, got {context.width} x {context.height}")


def _claimed_seconds(container: av.container.InputContainer, stream: av.stream.Stream) -> float:
    """How long the header says that the stream is; 0 where it does not say so exactly."""
    if not set(container.format.name.split(",")) & set(EXACT_LENGTHS) or not stream.duration:
        return 0.0
    return float(stream.duration * stream.time_base)


def _length(frame: Frame, stream: av.stream.Stream) -> float:
    if isinstance(frame, av.AudioFrame):
        return frame.samples / frame.sample_rate
    if frame.duration and frame.time_base:
        return float(frame.duration * frame.time_base)
    return float(1 / stream.average_rate) if stream.average_rate else 0.0
