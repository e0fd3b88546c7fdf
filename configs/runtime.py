"""Where and how answers are generated."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class RuntimeArguments:
    """Where and how answers are generated."""

    device: str = field(default="cuda:0", metadata={"help": "cuda:N or cpu; the CPU stands in where there is no GPU."})
    dtype: str = field(
        default="auto",
        metadata={"help": "auto: float32 on CPU, bfloat16 on a GPU.",
                  "choices": ("auto", "float32", "bfloat16", "float16")},
    )  # fmt: skip
    max_new_tokens: int = field(default=256, metadata={"help": "Longest answer, in tokens."})
    merge_lora: bool = field(
        default=False,
        metadata={"help": "Fold LoRA into the LLM's weights: faster, the same answers up to rounding."},
    )

    def __post_init__(self):
        if self.max_new_tokens < 1:
            raise ValueError(f"--max_new_tokens: expected at least 1, got {self.max_new_tokens}")
