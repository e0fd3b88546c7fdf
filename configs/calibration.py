"""Settings of programs about an auditor's certainty."""

from __future__ import annotations

from dataclasses import dataclass, field

from configs.ranges import check_ranges
from configs.runtime import RuntimeArguments


@dataclass(kw_only=True)
class CalibrationArguments:
    """What an auditor is calibrated on, and what is promised."""

    run: str = field(
        metadata={
            "help": "Folder of a finished evaluation by this auditor, best of videos that are scored nowhere.",
            "positional": True,
            "metavar": "RUN",
        }
    )
    auditor: str = field(metadata={"help": "The auditor's folder; calibration.json is written into it."})
    share: float | None = field(
        default=None,
        metadata={
            "help": "Share of the run's videos to use. The others are measured and may be scored. 1 for a run whose "
            "videos are scored nowhere."
        },
    )
    risk: float = field(
        default=0.1,
        metadata={
            "help": "The promise: on average over new videos, at most this share of a video's masks is accepted and "
            "wrong."
        },
    )
    good_iou: float = field(default=0.8, metadata={"help": "A mask under this true IoU is wrong to accept."})
    measure: list[str] = field(
        default_factory=list, metadata={"help": "Finished evaluations of other videos on which the result is measured."}
    )
    output: str | None = field(
        default=None, metadata={"help": "Folder of calibration.png and report.json. Default: <run>/calibration"}
    )
    seed: int = field(default=0, metadata={"help": "Decides which videos are used for what."})

    def __post_init__(self):
        if self.share is None:
            raise ValueError(
                "--share: expected the share of the run's videos to fit on, for what is fitted on must not be scored; "
                "1 if they are scored nowhere (a benchmark of validation videos); got none"
            )
        if not 0 < self.share <= 1:
            raise ValueError(f"--share: expected a number above 0 to 1, got {self.share:g}")
        if not 0 < self.risk < 1:
            raise ValueError(f"--risk: expected a number between 0 and 1, got {self.risk:g}")
        if not 0 < self.good_iou <= 1:
            raise ValueError(f"--good_iou: expected a number above 0 to 1, got {self.good_iou:g}")


@dataclass(kw_only=True)
class UnlikeArguments(RuntimeArguments):
    """Clips whose distances are compared."""

    auditor: str = field(metadata={"help": "Our auditor folder, with known_clips.safetensors."})
    like: list[str] = field(
        metadata={
            "help": "Clips of the training's kind: folders with frames/0.jpg to 9.jpg, videos, JPEG pictures, or "
            "folders with such clips in them. PNG files beside them are taken for masks."
        }
    )
    unlike: list[str] = field(metadata={"help": "Clips of another kind, given in the same way."})
    output: str | None = field(default=None, metadata={"help": "JSON file for all distances."})

    def __post_init__(self):
        super().__post_init__()
        check_ranges(self, {"max_new_tokens": (1, 10**5)})
