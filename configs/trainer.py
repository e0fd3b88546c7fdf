"""Settings of a training run with those of transformers, which takes seconds to import: not needed for --help."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from transformers import HfArgumentParser, TrainingArguments

from configs.parsing import OneSentence
from configs.thinking import ThinkTrainingOptions
from configs.training import FinetuningOptions, TrainingOptions


class TrainingParser(OneSentence, HfArgumentParser):
    """A flag for every field of training arguments, as transformers makes them."""


@dataclass
class ProjectorTrainingArguments(TrainingOptions, TrainingArguments):
    """Training arguments of a projector; the published values stand in the recipe."""

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
    """Training arguments of an auditor; the published values stand in the recipe."""

    def __post_init__(self):
        FinetuningOptions.__post_init__(self)
        ProjectorTrainingArguments.__post_init__(self)


@dataclass
class ThinkFinetuningArguments(ThinkTrainingOptions, FinetuningArguments):
    """Training arguments of a thinker; the published values stand in the recipe."""
