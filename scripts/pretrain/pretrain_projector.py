"""Pretrain a projector on captions: python -m scripts.pretrain.pretrain_projector RECIPE.yaml [--flag value ...]

Start it through scripts/pretrain/pretrain_visual.sh or pretrain_audio.sh, which choose the published recipe.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from configs.data import CaptionArguments
from configs.model import ModelArguments
from configs.parsing import Extended
from configs.training import TrainingOptions
from scripts.program import run_distributed_program

if TYPE_CHECKING:
    from configs.trainer import ProjectorTrainingArguments


def main(argv: list[str] | None = None) -> int:
    types = (ModelArguments, CaptionArguments, Extended(TrainingOptions, all_settings))
    return run_distributed_program("pretrain", types, work, argv, __doc__)


def all_settings() -> type[ProjectorTrainingArguments]:
    from configs.trainer import ProjectorTrainingArguments  # late: imports transformers

    return ProjectorTrainingArguments


def work(model_args: ModelArguments, caption_args: CaptionArguments, training_args: ProjectorTrainingArguments) -> None:
    from scripts.pretrain.projector import pretrain  # late: imports torch

    pretrain(model_args, caption_args, training_args)


if __name__ == "__main__":
    sys.exit(main())
