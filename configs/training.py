"""Settings of a training run that are our own; configs/trainer.py adds those of transformers."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass
class TrainingOptions:
    """Settings of the training. Those of transformers.TrainingArguments, too: --help_all lists them."""

    output_dir: str = field(
        default="checkpoints/MQ-Auditor-finetuned", metadata={"help": "Folder of the trained auditor or projector."}
    )
    remove_unused_columns: bool = field(
        default=False, metadata={"help": "The collator, not the model's signature, decides what a batch holds."}
    )
    logging_nan_inf_filter: bool = field(
        default=False, metadata={"help": "Log the mean of earlier losses in place of one that is not finite."}
    )


@dataclass
class FinetuningOptions(TrainingOptions):
    """Learning rates of an auditor's parts, and memory. Published: one rate for all; LoRA and the IoU head have it."""

    projector_lr_scale: float = field(
        default=1.0, metadata={"help": "Learning rate of the projectors, in parts of --learning_rate."}
    )
    embedding_lr_scale: float = field(
        default=1.0, metadata={"help": "The same of the token embeddings (and of a head that shares their weights)."}
    )
    output_head_lr_scale: float = field(default=1.0, metadata={"help": "The same of the LLM's output head."})
    measure_checkpointing: bool = field(
        default=False,
        metadata={
            "help": "Measure a step first; switch --gradient_checkpointing off where memory suffices without: "
            "faster, the same training."
        },
    )

    def __post_init__(self):
        for name in ("projector_lr_scale", "embedding_lr_scale", "output_head_lr_scale"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"--{name}: expected 0 or more, got {getattr(self, name)}")
