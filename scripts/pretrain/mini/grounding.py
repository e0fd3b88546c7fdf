"""The last stage of training the mini LLM: lessons on scenes that it sees and hears through encoders and projectors.

python -m scripts.pretrain.mini.grounding WEIGHTS WORK

Start it through scripts/pretrain/mini/make_parts.sh, after the projectors. Encoders and projectors are frozen.
"""

from __future__ import annotations

import sys

from configs.mini import PartsArguments
from scripts.program import run_program


def main(argv: list[str] | None = None) -> int:
    return run_program("grounding", (PartsArguments,), work, argv, __doc__)


def work(args: PartsArguments) -> None:
    from scripts.pretrain.mini.grounded import ground  # late: imports torch

    ground(args)


if __name__ == "__main__":
    sys.exit(main())
