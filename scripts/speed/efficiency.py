"""How fast audits, their data and training are, beside the published way in the same run.

  python -m scripts.speed.efficiency            # mini, golden and medium size on a CPU
  python -m scripts.speed.efficiency --full     # LLaMA-2-7B, ViT-L/14 and BEATs with random weights, on a GPU

No auditor here is fine-tuned. A bias on the logits, the same for every way, makes all of them write template answers
(see `steering`).
"""

from __future__ import annotations

import sys

from configs.speed import EfficiencyArguments
from scripts.program import run_program


def main(argv: list[str] | None = None) -> int:
    return run_program("efficiency", (EfficiencyArguments,), work, argv, __doc__)


def work(args: EfficiencyArguments) -> None:
    from scripts.speed.comparison import measure  # late: imports torch

    measure(args)


if __name__ == "__main__":
    sys.exit(main())
