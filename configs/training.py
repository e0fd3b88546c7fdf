"""Settings of a training run that are our own; configs/trainer.py adds those of transformers."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

NTP, POLICY = "ntp", "policy"
OBJECTIVES = (NTP, POLICY)


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


@dataclass
class AuditorTrainingOptions(FinetuningOptions):
    """What an auditor's answers are trained for, and what the training begins with."""

    objective: str = field(
        default=NTP,
        metadata={
            "help": "ntp: next-token prediction of the right audit (published). policy: group-relative policy "
            "optimisation (GRPO): audits are sampled for every mask, and those of a higher reward become likelier.",
            "choices": OBJECTIVES,
        },
    )
    start_from: str | None = field(
        default=None,
        metadata={
            "help": "Begin with the weights of this auditor (our folder, same model settings). Default: the pretrained "
            "parts and new LoRA weights."
        },
    )
    answers_per_mask: int = field(
        default=4, metadata={"help": "policy: audits that are sampled for every mask (GRPO's group size)."}
    )
    ntp_weight: float = field(
        default=1.0,
        metadata={"help": "policy: weight of the next-token loss of the right audit; it keeps answers well-formed."},
    )

    def __post_init__(self):
        super().__post_init__()
        if self.answers_per_mask < 2:
            raise ValueError(f"--answers_per_mask: expected at least 2, to compare them, got {self.answers_per_mask}")
        if not 0 <= self.ntp_weight < math.inf:
            raise ValueError(f"--ntp_weight: expected 0 or more, got {self.ntp_weight}")
