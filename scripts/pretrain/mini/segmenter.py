"""Makes the mini segmenter: a CLIPSeg that finds things of the drawn world by colour and texture.

python -m scripts.pretrain.mini.segmenter WEIGHTS WORK

Its eyes are those of the mini CLIP, as they are. The rest is not trained but solved, in about a minute: what the eyes
tell of a patch is linear. It knows no categories, because the eyes do not tell them: on scenes that it was not solved
for, a linear model says the right one of 12 for 28% of patches, the right one of 8 colours for 99.6%, and the right one
of 6 textures for 82%. A category is an unknown word to it, and unknown words say nothing: "the star" is every thing.

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
