"""Let Ref-Thinker name the objects of a split's expressions: python -m scripts.think.run [--flag ...]

scripts/think/inference_ref_thinker.sh starts it with settings from variables.
"""

from __future__ import annotations

import sys

from configs.thinking import ThinkArguments, ThinkerArguments
from scripts.program import run_program


def main(argv: list[str] | None = None) -> int:
    return run_program("think", (ThinkerArguments, ThinkArguments), work, argv, __doc__)


def work(model_args: ThinkerArguments, args: ThinkArguments) -> None:
    from scripts.think.think_split import think_split  # late: imports torch

    think_split(model_args, args)


if __name__ == "__main__":
    sys.exit(main())
