"""Settings of a training run with those of transformers, which takes seconds to import: not needed for --help."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass

from transformers import HfArgumentParser, TrainingArguments

from configs.deepspeed import DEEPSPEED
from configs.parsing import OneSentence
from configs.ranges import MOST_PROCESSES, check_ranges
from configs.thinking import ThinkTrainingOptions
from configs.training import AuditorTrainingOptions, FinetuningOptions, TrainingOptions
from utils.settings_files import read_object

RANGES = {
    "learning_rate": (0, math.inf),
    "weight_decay": (0, math.inf),
    "max_grad_norm": (0, math.inf),
    "adam_beta1": (0, 1),
    "adam_beta2": (0, 1),
    "adam_epsilon": (0, 1),
    "num_train_epochs": (0, 10**6),
    "max_steps": (-1, 10**12),
    "warmup_steps": (0, 10**12),
    "per_device_train_batch_size": (1, 10**6),
    "per_device_eval_batch_size": (1, 10**6),
    "gradient_accumulation_steps": (1, 10**6),
    "dataloader_num_workers": (0, MOST_PROCESSES),
    "save_total_limit": (1, 10**6),
    "logging_steps": (0, math.inf),
    "save_steps": (0, math.inf),
    "seed": (0, 2**32 - 1),
}


class TrainingParser(OneSentence, HfArgumentParser):
    """A flag for every field of training arguments, as transformers makes them."""


@dataclass
class ProjectorTrainingArguments(TrainingOptions, TrainingArguments):
    """Training arguments of a projector; the published values stand in the recipe."""

    def __post_init__(self):
        check_ranges(self, RANGES)
        if isinstance(self.deepspeed, str) and not self.deepspeed.lstrip().startswith("{"):  # otherwise JSON itself
            self.deepspeed = read_object(self.deepspeed, DEEPSPEED)
        super().__post_init__()

    @classmethod
    def parser(cls, prog: str) -> argparse.ArgumentParser:
        """Knows all of these settings, and no --help."""
        formatter = argparse.ArgumentDefaultsHelpFormatter
        about = "Settings of the training, with those of transformers.TrainingArguments:"
        return TrainingParser(
            cls,
            prog=prog,
            usage=argparse.SUPPRESS,
            description=about,
            add_help=False,
            allow_abbrev=False,
            formatter_class=formatter,
        )


@dataclass
class FinetuningArguments(FinetuningOptions, ProjectorTrainingArguments):
    """Training arguments of an auditor or a thinker; the published values stand in the recipes."""

    def __post_init__(self):
        FinetuningOptions.__post_init__(self)
        ProjectorTrainingArguments.__post_init__(self)


@dataclass
class AuditorFinetuningArguments(AuditorTrainingOptions, FinetuningArguments):
    """Training arguments of an auditor, with its objective."""


@dataclass
class ThinkFinetuningArguments(ThinkTrainingOptions, FinetuningArguments):
    """Training arguments of a thinker; the published values stand in the recipe."""
