"""Fine-tune Ref-Thinker: python -m scripts.think.finetune_ref_thinker RECIPE.yaml [--flag value ...]

Start it through scripts/think/finetune_ref_thinker.sh, which chooses the recipe of the published settings.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from configs.parsing import Extended
from configs.thinking import ThinkDataArguments, ThinkerArguments, ThinkTrainingOptions
from scripts.program import run_distributed_program

if TYPE_CHECKING:
    from configs.trainer import FinetuningArguments


def main(argv: list[str] | None = None) -> int:
    types = (ThinkerArguments, ThinkDataArguments, Extended(ThinkTrainingOptions, all_settings))
    return run_distributed_program("finetune", types, work, argv, __doc__)


def all_settings() -> type[FinetuningArguments]:
    from configs.trainer import ThinkFinetuningArguments  # late: imports transformers

    return ThinkFinetuningArguments


def work(model_args: ThinkerArguments, data_args: ThinkDataArguments, training_args: FinetuningArguments) -> None:
    from scripts.think.think_training import train_thinker  # late: imports torch

    train_thinker(model_args, data_args, training_args)


if __name__ == "__main__":
    sys.exit(main())
