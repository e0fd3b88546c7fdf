"""What the parts of the mini auditor know: lessons on scenes that they never saw, and linear probes of the projectors.

python -m scripts.pretrain.mini.probe pretrained_weights/mini
"""

from __future__ import annotations

import sys

from configs.mini import ProbeArguments
from scripts.program import run_program


def main(argv: list[str] | None = None) -> int:
    return run_program("probe", (ProbeArguments,), work, argv, __doc__)


def work(args: ProbeArguments) -> None:
    from scripts.pretrain.mini.probing import probe  # late: imports torch

    probe(args)


if __name__ == "__main__":
    sys.exit(main())
