"""Audits of masks of one's own."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, field
from typing import Protocol

from configs.runtime import AnsweringArguments
from utils.words import doubt_of_words, fault_of_words

logger = logging.getLogger(__name__)


SOURCES = ("jobs", "coco", "yolo", "davis", "pairs", "mask_root")  # where many masks come from; or --mask


@dataclass(kw_only=True)
class ManyMasks:
    """Many masks at once, instead of --mask."""

    jobs: str | None = field(
        default=None,
        metadata={
            "help": "CSV or JSON lines with clip, expression, frame (or at) and mask in each row, optionally audio; "
            "all else is carried through. Paths are relative to it. A clip is a video, a folder of frames or, with "
            "--still, a picture."
        },
    )
    coco: str | None = field(
        default=None,
        metadata={"help": "COCO file, or COCO results with --instances: polygons or run-length codes. Needs --images."},
    )
    instances: str | None = field(
        default=None, metadata={"help": "For COCO results, which are a list: the file with images and categories."}
    )
    yolo: str | None = field(
        default=None,
        metadata={"help": "Folder of YOLO-seg text files, one for each picture of --images. Needs --class_names."},
    )
    class_names: list[str] = field(default_factory=list, metadata={"help": "For --yolo: names of class 0, 1, ..."})
    davis: str | None = field(
        default=None,
        metadata={
            "help": "Folder of CLIP/00000.png with one object for each number of the palette; frames in --images. What "
            "they are is said in its expressions.csv (clip,object,expression), or for all of them with --expression."
        },
    )
    pairs: str | None = field(
        default=None, metadata={"help": "Folder of images/, masks/ and expressions.csv, as for import_masks."}
    )
    mask_root: str | None = field(
        default=None,
        metadata={
            "help": "Folder of UID/00000.png to 00009.png, or logits UID.npy, over the Ref-AVSBench in --data_dir."
        },
    )
    data_dir: str | None = field(default=None, metadata={"help": "For --mask_root: dataset like Ref-AVSBench."})
    test_name: list[str] = field(
        default_factory=lambda: ["test_s", "test_u"], metadata={"help": "For --mask_root: which splits."}
    )
    images: str | None = field(default=None, metadata={"help": "For --coco, --yolo, --davis: folder of the pictures."})


@dataclass(kw_only=True)
class AuditArguments(AnsweringArguments, ManyMasks):
    """Masks of clips of one's own."""

    expression: list[str] = field(
        default_factory=list,
        metadata={
            "help": "What the mask should show, e.g. 'the dog that barks'. Several: one for each mask, or all for one."
        },
    )
    mask: list[str] = field(
        default_factory=list,
        metadata={"help": "Picture of the mask, or several; what is not black is inside. Any size."},
    )
    frame: int | None = field(
        default=None,
        metadata={
            "help": "Which of the ten frames, 0 to 9, the mask belongs to. Frame i of a ten second video is the "
            "one at i seconds, and lies in OUTPUT/frames after a run. In a folder of more images: which of them."
        },
    )
    at: float | None = field(
        default=None, metadata={"help": "Instead of --frame: the mask's moment in --video, in seconds."}
    )
    video: str | None = field(default=None, metadata={"help": "Video file with sound; ten seconds of it are used."})
    frames: str | None = field(
        default=None,
        metadata={"help": "Instead of --video: folder of numbered images, best ten, with --audio."},
    )
    fps: float | None = field(
        default=None,
        metadata={
            "help": "Images in a second of the folders of --frames, --jobs and --davis. Of more than ten seconds ten "
            "images are shown, one a second, with their own sound. Default: ten images spread over the folder."
        },
    )
    audio: str | None = field(default=None, metadata={"help": "Sound file; replaces the sound of --video."})
    still: bool = field(default=False, metadata={"help": "There is no video: one picture stands for all ten frames."})
    no_audio: bool = field(default=False, metadata={"help": "There is no sound: the auditor hears silence."})
    auditor: str = field(
        default="checkpoints/MQ-Auditor",
        metadata={"help": "Our auditor folder, the published pair's folder, or one checkpoint-N of it."},
    )
    output: str = field(
        default="results/audit",
        metadata={"help": "Folder of audit.json, audit.png and the media; of many masks, audits.jsonl and audits.csv."},
    )

    report: bool = field(
        default=True, metadata={"help": "Of many masks: also write OUTPUT/report, pages with all of them."}
    )

    def __post_init__(self):
        super().__post_init__()
        given = [name for name in SOURCES if getattr(self, name)]
        if len(given) > 1 or (given and self.mask):
            names = ", ".join(f"--{name}" for name in (["mask"] if self.mask else []) + given)
            raise ValueError(f"expected one source of masks, got {names}")
        for expression in self.expression:
            check_words(expression)
        if given:
            self._check_source(given[0])
        else:
            self._check_masks()

    @property
    def source(self) -> str | None:
        """Where many masks come from; None for those of --mask."""
        return next((name for name in SOURCES if getattr(self, name)), None)

    def _check_masks(self) -> None:
        if not self.mask:
            options = ", ".join(f"--{name}" for name in SOURCES)
            raise ValueError(f"--mask: expected a picture of a mask, or a source of many ({options}), got none")
        if not self.expression:
            raise ValueError("--expression: expected what the mask should show, got none")
        if len(self.expression) > 1 < len(self.mask) and len(self.expression) != len(self.mask):
            got = f"{len(self.expression)} for {len(self.mask)} masks"
            raise ValueError(f"--expression: expected one, or one for each mask, got {got}")
        check_clip(self)

    def _check_source(self, source: str) -> None:
        if source in ("coco", "yolo", "davis") and not self.images:
            raise ValueError(f"--{source}: expected the folder of its pictures with --images, got none")
        if source in ("coco", "yolo", "pairs") and not (self.still and self.no_audio):
            raise ValueError(f"--{source}: its pictures neither move nor sound: say so with --still --no_audio")
        if source == "davis" and not self.no_audio:
            raise ValueError("--davis: its frames have no sound: say so with --no_audio")
        if source == "yolo" and not self.class_names:
            raise ValueError("--yolo: expected the names of its classes with --class_names, got none")
        if source == "mask_root" and not self.data_dir:
            raise ValueError("--mask_root: expected the dataset with --data_dir, got none")
        if len(self.expression) > 1:
            raise ValueError(f"--expression: expected one at most with --{source}, got {len(self.expression)}")
        if source not in ("jobs", "davis") and self.fps is not None:
            raise ValueError(f"--fps: expected none with --{source}, which has no folders of frames of any rate")
        clip = [name for name in ("video", "frames", "audio", "frame", "at") if getattr(self, name) is not None]
        if clip:
            raise ValueError(f"--{clip[0]}: expected none with --{source}, which says it for each mask")


class Clip(Protocol):
    """Which clip a mask belongs to, and where in it."""

    video: object
    frames: object
    audio: object
    frame: int | None
    at: float | None
    fps: float | None
    still: bool
    no_audio: bool


def check_clip(clip: Clip) -> None:
    """The checks of a mask's clip that need no file. Raises ValueError naming the argument."""
    if (clip.video is None) == (clip.frames is None):
        raise ValueError(f"expected --video or --frames, got {'neither' if clip.video is None else 'both'}")
    if clip.no_audio and clip.audio is not None:
        raise ValueError("--no_audio: expected no --audio beside it, got one")
    if clip.frames is not None and clip.audio is None and not clip.no_audio:
        raise ValueError("--frames: expected the sound with --audio FILE, got none (--no_audio: there is none)")
    if clip.still and clip.frames is None:
        raise ValueError("--still: expected one picture as --frames, got none")
    if clip.fps is not None:
        _check_rate(clip)
    if clip.at is not None:
        if clip.video is None or clip.frame is not None:
            raise ValueError("--at: expected it with --video and without --frame")
        if not 0 <= clip.at < math.inf:
            raise ValueError(f"--at: expected a moment in seconds from 0, got {clip.at:g}")
    elif not clip.still and clip.frame is None:
        raise ValueError("--frame: expected the mask's frame, or its moment with --at, got neither")
    elif clip.frame is not None and (clip.video is not None or clip.still or clip.frame < 0):
        check_frame(clip.frame)


def _check_rate(clip: Clip) -> None:
    if clip.frames is None or clip.still:
        raise ValueError("--fps: expected it with a folder of frames")
    if not 0 < clip.fps < math.inf:
        raise ValueError(f"--fps: expected images in a second, above 0, got {clip.fps:g}")


def check_frame(frame: int) -> None:
    """Of ten. Raises ValueError."""
    if not 0 <= frame <= 9:
        raise ValueError(f"--frame: expected 0 to 9, got {frame}")


def check_words(expression: str) -> None:
    """Raises ValueError for what is no expression."""
    if any("\ud800" <= c <= "\udfff" for c in expression):
        raise ValueError("--expression: expected UTF-8 text, got other bytes")
    if fault := fault_of_words(expression):
        raise ValueError(f"--expression: {fault}")
    if doubt := doubt_of_words(expression):
        logger.warning("--expression: %s", doubt)
