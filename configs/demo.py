"""Settings of the page to try an auditor."""

from __future__ import annotations

from dataclasses import dataclass, field

from configs.ranges import check_ranges
from configs.runtime import AnsweringArguments

QUICKSTART_AUDITOR = "results/quickstart/MQ-Auditor"


@dataclass(kw_only=True)
class DemoArguments(AnsweringArguments):
    """Which auditor answers, and where the page is."""

    auditor: str = field(
        default=QUICKSTART_AUDITOR,
        metadata={
            "help": "Our auditor folder, the published pair's folder, or one checkpoint-N of it. The default is the "
            "one that the quickstart trains."
        },
    )
    port: int = field(default=7860, metadata={"help": "The page is at http://127.0.0.1:PORT, for this machine only."})

    def __post_init__(self):
        super().__post_init__()
        check_ranges(self, {"port": (1, 65535)})
