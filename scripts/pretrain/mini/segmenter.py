"""Trains the mini segmenter: a CLIPSeg that names prompt. Its eyes are those of the mini CLIP, trained further.

python -m scripts.pretrain.mini.segmenter WEIGHTS WORK

Start it through scripts/pretrain/mini/make_parts.sh, after the mini CLIP. If it is interrupted, start it again.
"""

from __future__ import annotations

import sys

from configs.mini import PartsArguments
from scripts.program import run_program


def main(argv: list[str] | None = None) -> int:
    return run_program("segmenter", (PartsArguments,), work, argv, __doc__)


def work(args: PartsArguments) -> None:
    from scripts.pretrain.mini.named_objects import make_segmenter  # late: imports torch

    make_segmenter(args)


if __name__ == "__main__":
    sys.exit(main())
