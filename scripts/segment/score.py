"""Score the masks of a segmentation method: J, F, boundary F, and S of references to nothing.

python -m scripts.segment.score MASKS --data_dir ../REFAVS --test_name test_s test_u test_n
"""

from __future__ import annotations

import logging
import sys

from configs.referring import MaskScoreArguments
from scripts.program import run_program


def main(argv: list[str] | None = None) -> int:
    return run_program("score", (MaskScoreArguments,), work, argv, __doc__, logging.WARNING)


def work(args: MaskScoreArguments) -> None:
    from scripts.segment.mask_scoring import score_folder  # late: imports OpenCV and matplotlib

    score_folder(args)


if __name__ == "__main__":
    sys.exit(main())
