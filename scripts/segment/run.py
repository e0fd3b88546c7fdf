"""Make masks of what expressions mean, by Ref-Thinker's names or by the expressions themselves.

python -m scripts.segment.run --data_dir ../REFAVS --test_name test_u --answers inference_results.jsonl \\
    --grounder_path grounding-dino-tiny --segmenter_path sam2.1-hiera-large --output_dir results/masks
Start it again after an interruption, with the same settings: it goes on after the last expression.
"""

from __future__ import annotations

import sys

from configs.referring import SegmentArguments
from scripts.program import run_program


def main(argv: list[str] | None = None) -> int:
    return run_program("segment", (SegmentArguments,), work, argv, __doc__)


def work(args: SegmentArguments) -> None:
    from scripts.segment.mask_making import make_masks  # late: imports torch

    make_masks(args)


if __name__ == "__main__":
    sys.exit(main())
