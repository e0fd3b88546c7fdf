"""Audit the masks of a test split, and score the audits: python -m scripts.evaluate.run [--flag ...]

scripts/finetune/inference_hyper_lora.sh starts it with settings from variables. Several processes share the masks:
python -m scripts.processes --nproc_per_node N -m scripts.evaluate.run [--flag ...]
"""

from __future__ import annotations

import sys

from configs.evaluation import EvaluationArguments
from configs.model import ModelArguments
from scripts.program import run_distributed_program


def main(argv: list[str] | None = None) -> int:
    return run_distributed_program("inference", (ModelArguments, EvaluationArguments), work, argv, __doc__)


def work(model_args: ModelArguments, args: EvaluationArguments) -> None:
    from scripts.evaluate.split_audit import audit_split  # late: imports torch

    audit_split(model_args, args)


if __name__ == "__main__":
    sys.exit(main())
