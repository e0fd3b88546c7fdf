"""Audit the masks of a segmentation method, repair those that the auditor finds fault with, and score before and after.

python -m scripts.segment.improve --masks MASKS --auditor checkpoints/MQ-Auditor --data_dir ../REFAVS \\
    --grounder_path grounding-dino-tiny --segmenter_path sam2.1-hiera-large
Start it again after an interruption, or with other policies: what is audited or segmented is not done again.
"""

from __future__ import annotations

import sys

from configs.improving import ImproveArguments
from configs.model import ModelArguments
from scripts.program import run_program


def main(argv: list[str] | None = None) -> int:
    return run_program("improve", (ModelArguments, ImproveArguments), work, argv, __doc__)


def work(model_args: ModelArguments, args: ImproveArguments) -> None:
    from scripts.repair.improving import improve_masks  # late: imports torch

    improve_masks(model_args, args)


if __name__ == "__main__":
    sys.exit(main())
