"""Settings of a report of audits."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(kw_only=True)
class ReportArguments:
    """What the report shows."""

    results: str = field(
        metadata={"help": "Folder of one run, or a folder with several runs' folders.", "positional": True}
    )
    output: str = field(
        metadata={"help": "Folder for the report; it must be new, empty, or an earlier report, which is replaced."}
    )
    data_dir: str | None = field(
        default=None, metadata={"help": "Folder of the benchmark. Default: the one that each run's run.json names."}
    )
    against: list[str] = field(
        default_factory=list,
        metadata={
            "help": "Results of other auditors on the same masks, shown side by side: folders, or NAME=FOLDER.",
            "metavar": "OTHER",
        },
    )
    common: bool = field(default=False, metadata={"help": "Show only the masks that all auditors have audited."})
    title: str = field(default="Audits", metadata={"help": "The report's headline."})
    picture_size: int = field(
        default=320, metadata={"help": "Longer side of the pictures, in pixels.", "metavar": "PIXELS"}
    )
    num_workers: int = field(default=2, metadata={"help": "Threads that draw pictures."})

    def __post_init__(self):
        if not 64 <= self.picture_size <= 2048:
            raise ValueError(f"--picture_size: expected 64 to 2048, got {self.picture_size}")
        if self.num_workers < 1:
            raise ValueError(f"--num_workers: expected at least 1, got {self.num_workers}")
