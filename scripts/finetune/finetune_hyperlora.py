"""Fine-tune MQ-Auditor: python -m scripts.finetune.finetune_hyperlora RECIPE.yaml [--flag value ...]

Start it through scripts/finetune/finetune_hyperlora.sh, which chooses the recipe of the published settings.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from configs.data import DataArguments
from configs.model import ModelArguments
from configs.parsing import Extended
from configs.training import AuditorTrainingOptions
from scripts.program import run_distributed_program

if TYPE_CHECKING:
    from configs.trainer import AuditorFinetuningArguments


def main(argv: list[str] | None = None) -> int:
    types = (ModelArguments, DataArguments, Extended(AuditorTrainingOptions, all_settings))
    return run_distributed_program("finetune", types, work, argv, __doc__)


def all_settings() -> type[AuditorFinetuningArguments]:
    from configs.trainer import AuditorFinetuningArguments  # late: imports transformers

    return AuditorFinetuningArguments


def work(model_args: ModelArguments, data_args: DataArguments, training_args: AuditorFinetuningArguments) -> None:
    from scripts.finetune.training import train  # late: imports torch

    train(model_args, data_args, training_args)


if __name__ == "__main__":
    sys.exit(main())
