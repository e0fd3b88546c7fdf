"""How well an auditor tells clips that are unlike those of its training: AUROC of their distances.

python -m scripts.evaluate.tell_unlike --auditor results/quickstart/MQ-Auditor --unlike my_videos \\
    --like results/quickstart/MQ-RAVSBench/media/test_*
"""

from __future__ import annotations

import sys

from configs.calibration import UnlikeArguments
from configs.model import ModelArguments
from scripts.program import run_program


def main(argv: list[str] | None = None) -> int:
    return run_program("tell_unlike", (ModelArguments, UnlikeArguments), work, argv, __doc__)


def work(model_args: ModelArguments, args: UnlikeArguments) -> None:
    from scripts.certainty.unlike import tell_unlike  # late: imports torch

    tell_unlike(model_args, args)


if __name__ == "__main__":
    sys.exit(main())
