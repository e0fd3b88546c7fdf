"""One conversion between our folder of an auditor and the released pair of files."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class ConversionArguments:
    """One conversion between our folder and the released pair."""

    source: str = field(metadata={"help": "Our auditor folder, the released pair's folder, or one checkpoint-N of it."})
    target: str = field(metadata={"help": "Folder to write."})
    model: str = field(default="auditor", metadata={"help": "What is converted.", "choices": ("auditor", "thinker")})
    step: int = field(default=960, metadata={"help": "N of the checkpoint-N folder that the pair gets."})

    def __post_init__(self):
        if self.step < 0:
            raise ValueError(f"--step: expected 0 or more, got {self.step}")
