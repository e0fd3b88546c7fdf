"""Makes the mini segmenter: a CLIPSeg that finds things of the drawn world by colour, texture and category.

python -m scripts.pretrain.mini.segmenter WEIGHTS WORK

Its eyes are those of the mini CLIP, as they are. The rest is not trained but solved, in about a minute: what the eyes
tell of a patch is linear. Unknown words say nothing: "the bottle", of an unseen category, is every thing.

Start it through scripts/pretrain/mini/make_parts.sh, after the mini CLIP.
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
