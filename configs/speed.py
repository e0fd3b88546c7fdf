"""What a measurement of speed may change."""

from __future__ import annotations

from dataclasses import dataclass, field

CPU_SIZES = ("mini", "golden", "medium")
WORKS = ("audit", "data", "train")


@dataclass(kw_only=True)
class EfficiencyArguments:
    """One table of latency, throughput and memory."""

    output: str = field(
        default="results/efficiency", metadata={"help": "Folder of the tables; work files go there too."}
    )
    sizes: list[str] = field(
        default_factory=lambda: list(CPU_SIZES), metadata={"help": "Of mini, golden, medium, full (needs a GPU)."}
    )
    works: list[str] = field(default_factory=lambda: list(WORKS), metadata={"help": "Of audit, data, train."})
    full: bool = field(default=False, metadata={"help": "The full size alone, in bfloat16, on a GPU."})
    growth: bool = field(
        default=False, metadata={"help": "Time and memory against masks per clip and number of clips, with a plot."}
    )
    runs: list[str] = field(
        default_factory=list,
        metadata={
            "help": "Finished runs of other auditors; their seconds and memory stand beneath: folders, or NAME=FOLDER.",
            "metavar": "RUN",
        },
    )
    repeats: int = field(default=2, metadata={"help": "How often each way is timed, in turn with the others."})

    def __post_init__(self):
        known = (*CPU_SIZES, "full")
        for name, own, expected in (("sizes", self.sizes, known), ("works", self.works, WORKS)):
            if unknown := sorted(set(own) - set(expected)):
                raise ValueError(f"--{name}: expected some of {', '.join(expected)}, got {', '.join(unknown)}")
        if self.repeats < 1:
            raise ValueError(f"--repeats: expected at least 1, got {self.repeats}")
        if self.full:
            self.sizes = ["full"]


@dataclass(kw_only=True)
class OwnMasksSpeedArguments:
    """How many masks are audited to compare two programs, and by whom."""

    auditor: str = field(metadata={"help": "Folder of a fine-tuned auditor, such as the quickstart's."})
    pretrained_weights_dir: str = field(
        default="pretrained_weights/mini", metadata={"help": "Folder of the auditor's parts."}
    )
    output: str = field(default="results/own_masks_speed", metadata={"help": "Folder of the work files."})
    clips: int = field(default=80, metadata={"help": "Drawn clips."})
    masks: int = field(default=1000, metadata={"help": "Masks of them."})
    repeats: int = field(default=2, metadata={"help": "How often both programs are run, in turn."})

    def __post_init__(self):
        for name in ("clips", "masks", "repeats"):
            if getattr(self, name) < 1:
                raise ValueError(f"--{name}: expected at least 1, got {getattr(self, name)}")


@dataclass(kw_only=True)
class ReportSpeedArguments:
    """How large a report is measured."""

    masks: int = field(default=20_000, metadata={"help": "Masks of the report."})
    masks_per_clip: int = field(default=20, metadata={"help": "Fewer make more clips, so that there is more to draw."})
    output: str = field(default="results/report_speed", metadata={"help": "Folder of the work files."})

    def __post_init__(self):
        if self.masks < 1:
            raise ValueError(f"--masks: expected at least 1, got {self.masks}")
        if not 1 <= self.masks_per_clip <= 20:
            raise ValueError(f"--masks_per_clip: expected 1 to 20, which drawn clips have, got {self.masks_per_clip}")
