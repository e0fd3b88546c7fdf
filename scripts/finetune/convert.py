"""Convert a trained auditor between our folder and the released pair of files, in the direction that SOURCE asks for.

python -m scripts.finetune.convert --source checkpoints/MQ-Auditor --target checkpoints/pair [--step 960]
python -m scripts.finetune.convert --source checkpoints/pair --target checkpoints/MQ-Auditor [--lora_alpha 64 ...]
"""

from __future__ import annotations

import sys

from configs.conversion import ConversionArguments
from configs.model import ModelArguments
from scripts.program import run_program


def main(argv: list[str] | None = None) -> int:
    return run_program("convert", (ModelArguments, ConversionArguments), work, argv, __doc__)


def work(model_args: ModelArguments, args: ConversionArguments) -> None:
    from scripts.finetune.conversion import convert  # late: imports torch

    convert(model_args, args)


if __name__ == "__main__":
    sys.exit(main())
