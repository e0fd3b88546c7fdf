"""One audit run over a test split."""

from __future__ import annotations

from dataclasses import dataclass, field

from configs.data import FeatureArguments
from configs.runtime import RuntimeArguments
from utils.splits import EVAL_MODES, TEST_NAMES


@dataclass
class EvaluationArguments(FeatureArguments, RuntimeArguments):
    """One audit run over a test split."""

    data_dir: str = field(default="../MQ-RAVSBench", metadata={"help": "Folder of MQ-RAVSBench."})
    auditor_dir: str = field(
        default="checkpoints/MQ-Auditor",
        metadata={"help": "Our auditor folder, the published pair's folder, or one checkpoint-N of it."},
    )
    output_dir: str = field(default="results/MQ-Auditor", metadata={"help": "Where the run's folder is written."})
    test_name: str = field(default="test_s", metadata={"help": "Split.", "choices": TEST_NAMES})
    eval_mode: str = field(default="image", metadata={"help": "Protocol.", "choices": EVAL_MODES})
    mask_type_filter: str = field(default="all", metadata={"help": "all, or one mask type."})
    mask_rank_filter: int = field(default=-1, metadata={"help": "-1: all ranks; 1: hard; 2: medium."})
    on_bad_sample: str = field(
        default="fail", metadata={"help": "fail, or skip and count.", "choices": ("fail", "skip")}
    )
    batch_size: int = field(
        default=0, metadata={"help": "Masks audited together, at most. 0: as many as fit --max_memory_gb, measured."}
    )
    max_memory_gb: float | None = field(
        default=None,
        metadata={"help": "Memory for audits, of the GPU or else of the machine. Default: most of what is free."},
    )
    num_workers: int = field(default=2, metadata={"help": "Processes that decode media."})
    share_prompts: bool = field(
        default=True,
        metadata={"help": "Read what the masks of a batch have in common once: faster, the same answers (float32)."},
    )
    draft_answers: bool = field(
        default=True,
        metadata={
            "help": "Guess how an answer goes on from those before it, and check: faster, the same answers (float32). "
            "Needs --share_prompts."
        },
    )

    def __post_init__(self):
        FeatureArguments.__post_init__(self)
        RuntimeArguments.__post_init__(self)
        for name, low in (("batch_size", 0), ("num_workers", 0)):
            if getattr(self, name) < low:
                raise ValueError(f"--{name}: expected at least {low}, got {getattr(self, name)}")
