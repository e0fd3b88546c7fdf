"""One audit request as a question: text, sound, video and pictures in the paper's order.

What the masks of one frame have in common comes first, so that servers can share its reading.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import soundfile

from dataset.media.mask_pictures import MASK_VIEWS, mask_picture
from dataset.media.waveform import SAMPLE_RATE, load_waveform
from dataset.text.others_prompt import FRAME, MASK, SOUND, VIDEO, prompt_pieces
from scripts.answering.answerer import AuditRequest
from utils.audit import Audit

MEDIA = ("sound", "video", "frame", "mask")
_KINDS = {".jpg": "jpeg", ".jpeg": "jpeg", ".png": "png"}
_SLOTS = {SOUND: "sound", VIDEO: "video", FRAME: "frame", MASK: "mask"}
_EXAMPLE = (
    "An example of an audit.\n\nText Query (target object to segment):\n\n{expression}\n\nKey video frame: ",
    "\nBinary mask: ",
)
_EXAMPLE_ANSWER = (
    "<audit>The IoU with GT is <iou> {iou:.4f} </iou>, its mask type belongs to <mask> {mask_type} </mask>, and the"
    " recommended action is <action> {action} </action>.</audit>"
)


@dataclass(frozen=True)
class Picture:
    """A picture file's bytes; `kind`: png or jpeg."""

    data: bytes
    kind: str


@dataclass(frozen=True)
class Video:
    """Frames, one for each second."""

    frames: tuple[Picture, ...]


@dataclass(frozen=True)
class Sound:
    """A WAV file's bytes: mono, 16 kHz, 16 bits."""

    data: bytes
    seconds: float


Part = str | Picture | Video | Sound


@dataclass(frozen=True)
class Turn:
    """What one side says. `role`: user or assistant."""

    role: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Asking:
    """How masks are asked about: the view of the mask, the media that are sent, and examples that go before.

    `muted`: media that are announced and then left out, to find out whether a server reads them.
    """

    view: str = "mask"
    media: tuple[str, ...] = MEDIA
    examples: tuple[Turn, ...] = ()
    muted: tuple[str, ...] = ()

    def turns(self, request: AuditRequest) -> list[Turn]:
        """The examples, then the question. A medium that is not sent is left out with the line that announces it."""
        parts: list[Part] = []
        pieces = prompt_pieces(request.sample.expression)
        for text, slot in zip(pieces[::2], [*pieces[1::2], None], strict=True):
            line = text.rpartition("\n")[2]
            medium = _SLOTS.get(slot)
            if medium == "mask" and "mask" in self.media:
                parts += [text.removesuffix(line).removesuffix("\n"), *self._mask_parts(request)]
            elif medium in self.media:
                parts += [text] if medium in self.muted else [text, _medium(request, medium)]
            else:
                parts.append(text.removesuffix(line).removesuffix("\n") if medium else text)
        return [*self.examples, Turn("user", tuple(joined(parts)))]

    def _mask_parts(self, request: AuditRequest) -> list[Part]:
        parts: list[Part] = []
        for words, kind in MASK_VIEWS[self.view]:
            parts.append(f"\n{words}: ")
            if "mask" not in self.muted:
                data = mask_picture(request.sample.frame_path, request.candidate.mask_path, kind)
                parts.append(Picture(data, "png"))
        return parts


def joined(parts: Sequence[Part]) -> list[Part]:
    """The same parts, texts that follow each other put together."""
    merged: list[Part] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        elif part != "":
            merged.append(part)
    return merged


def example_turns(request: AuditRequest) -> tuple[Turn, Turn]:
    """A mask of the training split with its true audit, as a question and its answer: key frame and mask only."""
    audit: Audit = request.candidate.audit
    before, between = _EXAMPLE
    asked = (
        before.format(expression=request.sample.expression),
        _picture(request.sample.frame_path),
        between,
        Picture(mask_picture(request.sample.frame_path, request.candidate.mask_path, "mask"), "png"),
    )
    said = _EXAMPLE_ANSWER.format(iou=audit.iou, mask_type=audit.mask_type, action=audit.action.title())
    return Turn("user", asked), Turn("assistant", (said,))


def _medium(request: AuditRequest, medium: str) -> Part:
    sample = request.sample
    if medium == "sound":
        return _sound(sample.audio_path)
    return _picture(sample.frame_path) if medium == "frame" else _video(tuple(sample.video_paths))


@lru_cache(16)
def _sound(path: Path) -> Sound:
    waveform = load_waveform(path)
    file = io.BytesIO()
    soundfile.write(file, waveform, SAMPLE_RATE, subtype="PCM_16", format="WAV")
    return Sound(file.getvalue(), len(waveform) / SAMPLE_RATE)


@lru_cache(16)
def _video(paths: tuple[Path, ...]) -> Video:
    return Video(tuple(map(_picture, paths)))


@lru_cache(64)
def _picture(path: Path) -> Picture:
    kind = _KINDS.get(Path(path).suffix.lower())
    if kind is None:
        raise ValueError(f"{path}: expected a .jpg or .png file, got another kind")
    return Picture(Path(path).read_bytes(), kind)
