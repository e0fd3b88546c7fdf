"""Where and how answers are generated."""

from __future__ import annotations

from dataclasses import dataclass, field

from configs.ranges import MOST_PROCESSES, check_ranges

MOST_TOKENS = 100_000  # of one answer


@dataclass
class DeviceArguments:
    """Where a model runs, and with which numbers."""

    device: str = field(default="cuda:0", metadata={"help": "cuda:N or cpu; the CPU stands in where there is no GPU."})
    dtype: str = field(
        default="auto",
        metadata={
            "help": "auto: float32 on CPU, bfloat16 on a GPU.",
            "choices": ("auto", "float32", "bfloat16", "float16"),
        },
    )


@dataclass
class RuntimeArguments(DeviceArguments):
    """Where and how answers are generated."""

    max_new_tokens: int = field(default=256, metadata={"help": "Longest answer, in tokens."})
    merge_lora: bool = field(
        default=False,
        metadata={"help": "Fold LoRA into the LLM's weights: faster, the same answers up to rounding."},
    )

    def __post_init__(self):
        if self.max_new_tokens < 1:
            raise ValueError(f"--max_new_tokens: expected at least 1, got {self.max_new_tokens}")
        check_ranges(self, {"max_new_tokens": (1, MOST_TOKENS)})


@dataclass
class AnsweringArguments(RuntimeArguments):
    """How many masks are audited together, and how fast."""

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
        super().__post_init__()
        if self.batch_size < 0:
            raise ValueError(f"--batch_size: expected at least 0, got {self.batch_size}")
        check_ranges(self, {"num_workers": (0, MOST_PROCESSES), "max_memory_gb": (1e-3, 1e6)})
