"""Settings of scoring saved answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from utils.certainty.expected import EXPECTED, IOU_KINDS, WRITTEN
from utils.mask_types import MASK_TYPES
from utils.reading.reply import LENIENT, READERS, STRICT
from utils.splits import EVAL_MODES


def rank(text: str) -> int:
    """-1, which means all ranks, for "none". Raises ValueError for what is no number."""
    return -1 if text.lower() == "none" else int(text)


@dataclass(kw_only=True)
class ScoreArguments:
    """One scoring of saved answers."""

    records: str = field(
        metadata={
            "help": "One JSON object per line: uid, mask_type, iou_to_gt, action, raw_output, optionally vid, "
            "frame_idx, rank, mask_path, generated_ids (any may be null); or a predictions file of an "
            "earlier run, parsed anew.",
            "positional": True,
            "metavar": "RECORDS.jsonl",
        }
    )
    output: str = field(metadata={"help": "Where to write the metrics summary (JSON)."})
    eval_mode: str = field(default="image", metadata={"help": "Protocol.", "choices": EVAL_MODES})
    mask_type_filter: str = field(
        default="all",
        metadata={"help": f"Score only records of this type: {', '.join(MASK_TYPES)}.", "metavar": "TYPE"},
    )
    mask_rank_filter: int = field(
        default=-1,
        metadata={
            "help": "Score only records of this rank (1 hard, 2 medium); perfect masks and records without a "
            "rank stay. -1: all ranks.",
            "metavar": "N",
            "type": rank,
        },
    )
    level: str = field(
        default=STRICT,
        metadata={
            "help": "How answers are read. strict: by tags only, as the released parser; lenient: also by aliases of "
            "the tags, phrases and prose, for other auditors.",
            "choices": READERS,
        },
    )
    iou: str = field(
        default=WRITTEN,
        metadata={
            "help": "Which IoU is scored. written: the number in the answer. expected: the mean of what its "
            "probabilities say (docs/certainty.md).",
            "choices": IOU_KINDS,
        },
    )
    auditor: str | None = field(
        default=None,
        metadata={
            "help": "For --iou expected: folder of the auditor whose calibration is used. Default: the one that "
            "run.json beside the records names, if it is calibrated.",
            "metavar": "DIR",
        },
    )
    against: str | None = field(
        default=None,
        metadata={
            "help": "Records of another run on the same masks, e.g. in float32: also says how many answers "
            "differ, and by how much the scores do.",
            "metavar": "OTHER.jsonl",
        },
    )
    predictions_output: str | None = field(
        default=None, metadata={"help": "Also write the parsed predictions (JSON lines)."}
    )
    video_avg_output: str | None = field(
        default=None, metadata={"help": "Also write one row per video (JSON lines; video mode)."}
    )

    def __post_init__(self):
        if self.auditor and self.iou != EXPECTED:
            raise ValueError("--auditor: expected it with --iou expected only")
        if self.video_avg_output and self.eval_mode != "video":
            raise ValueError("--video_avg_output: expected --eval_mode video")
        for name in ("output", "predictions_output", "video_avg_output"):
            path = getattr(self, name)
            if path and _is_same(path, self.records):
                raise ValueError(f"--{name} {path} would overwrite the records")
            if path and self.against and _is_same(path, self.against):
                raise ValueError(f"--against {self.against} would be overwritten by what is written")


def _is_same(one: str, other: str) -> bool:
    """Whether two paths lead to one file, also by links."""
    paths = Path(one), Path(other)
    if all(path.exists() for path in paths):
        return paths[0].samefile(paths[1])
    return paths[0].resolve() == paths[1].resolve()


@dataclass
class ScoringSpeedArguments:
    """How much is scored to measure the time."""

    records: int = field(default=1_000_000, metadata={"help": "Records."})
    eval_mode: str = field(default="video", metadata={"help": "Protocol.", "choices": EVAL_MODES})

    def __post_init__(self):
        if self.records < 1:
            raise ValueError(f"--records: expected at least 1, got {self.records}")


@dataclass(kw_only=True)
class ReadingArguments:
    """Which replies are read, and how."""

    replies: str = field(
        default="-",
        metadata={
            "help": "One JSON object per line, its `reply` a text or null. -: standard input.",
            "positional": True,
            "metavar": "REPLIES.jsonl",
        },
    )
    level: str = field(
        default=LENIENT,
        metadata={
            "help": "strict: by tags only, as the released parser; lenient: also by aliases of the tags, phrases and "
            "prose.",
            "choices": READERS,
        },
    )
