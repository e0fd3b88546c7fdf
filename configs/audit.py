"""One audit of one mask of a clip."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from configs.runtime import RuntimeArguments
from utils.words import doubt_of_words, fault_of_words

logger = logging.getLogger(__name__)


@dataclass(kw_only=True)
class AuditArguments(RuntimeArguments):
    """One audit of one mask of a clip of one's own."""

    expression: str = field(metadata={"help": "What the mask should show, e.g. 'the dog that barks'."})
    mask: str = field(metadata={"help": "Picture of the mask; what is not black is inside. Any size."})
    frame: int = field(
        metadata={
            "help": "Which of the ten frames, 0 to 9, the mask belongs to. Frame i of a ten second video is the "
            "one at i seconds, and lies in OUTPUT/frames after a run."
        }
    )
    video: str | None = field(default=None, metadata={"help": "Video file with sound; ten seconds of it are used."})
    frames: str | None = field(
        default=None, metadata={"help": "Instead of --video: folder of ten numbered images. Needs --audio."}
    )
    audio: str | None = field(default=None, metadata={"help": "Sound file; replaces the sound of --video."})
    auditor: str = field(
        default="checkpoints/MQ-Auditor",
        metadata={"help": "Our auditor folder, the published pair's folder, or one checkpoint-N of it."},
    )
    output: str = field(default="results/audit", metadata={"help": "Folder of audit.json, audit.png and the media."})

    def __post_init__(self):
        super().__post_init__()
        check_clip(self.expression, self.frame, self.video, self.frames, self.audio)


def check_clip(expression: str, frame: int, video: object, frames: object, audio: object) -> None:
    """The checks of a question about a mask of a clip that need no file. Raises ValueError naming the argument."""
    if (video is None) == (frames is None):
        raise ValueError(f"expected --video or --frames, got {'neither' if video is None else 'both'}")
    if frames is not None and audio is None:
        raise ValueError("--frames: expected the sound with --audio FILE, got none")
    if not 0 <= frame <= 9:
        raise ValueError(f"--frame: expected 0 to 9, got {frame}")
    if any("\ud800" <= c <= "\udfff" for c in expression):
        raise ValueError("--expression: expected UTF-8 text, got other bytes")
    if fault := fault_of_words(expression):
        raise ValueError(f"--expression: {fault}")
    if doubt := doubt_of_words(expression):
        logger.warning("--expression: %s", doubt)
