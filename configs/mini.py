"""Settings of the programs that make the mini auditor's parts."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(kw_only=True)
class PartsArguments:
    """The folders of the mini auditor's parts."""

    weights: str = field(metadata={"help": "Folder of the parts.", "positional": True})
    work: str = field(metadata={"help": "Folder of what a run needs to go on.", "positional": True})


@dataclass(kw_only=True)
class ProbeArguments:
    """What is probed."""

    weights: str = field(metadata={"help": "Folder of the parts.", "positional": True})
    num_scenes: int = field(default=150, metadata={"help": "Scenes for the lessons."})
    num_seen: int = field(
        default=400, metadata={"help": "Scenes that pass encoders and projectors, for the probes; 0: none."}
    )
    seed: int = field(default=77, metadata={"help": "Seed of the scenes. Training used 1000 to 4000."})
