"""Settings of the programs that make the mini auditor's parts."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(kw_only=True)
class PartsArguments:
    """The folders of the mini auditor's parts."""

    weights: str = field(metadata={"help": "Folder of the parts.", "positional": True})
    work: str = field(metadata={"help": "Folder of captions and of what a run needs to go on.", "positional": True})
