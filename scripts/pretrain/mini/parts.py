"""Make the parts of the mini auditor that are not projectors: python -m scripts.pretrain.mini.parts WEIGHTS WORK

Start it through scripts/pretrain/mini/make_parts.sh, which makes the projectors too.
"""

from __future__ import annotations

import sys

from configs.mini import PartsArguments
from scripts.program import run_program


def main(argv: list[str] | None = None) -> int:
    return run_program("parts", (PartsArguments,), work, argv, __doc__)


def work(args: PartsArguments) -> None:
    from scripts.pretrain.mini.all_parts import make_parts  # late: imports torch

    make_parts(args)


if __name__ == "__main__":
    sys.exit(main())
