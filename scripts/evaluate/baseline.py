"""Ask another auditor, behind an API, about the masks of a test split, and score its answers.

python -m scripts.evaluate.baseline --server http://localhost:8000/v1 --model Qwen/Qwen3-Omni-30B-A3B-Instruct
Started again it asks only what is missing. scripts/evaluate/baseline.sh starts it with settings from variables.
"""

from __future__ import annotations

import sys

from configs.baselines import BaselineArguments, ServerArguments
from scripts.program import run_program


def main(argv: list[str] | None = None) -> int:
    """Exit code 0, or 2 after one sentence on stderr: wrong input, a server that does not answer, a limit reached."""
    return run_program("baseline", (BaselineArguments, ServerArguments), work, argv, __doc__)


def work(args: BaselineArguments, server: ServerArguments) -> None:
    from scripts.baselines.ask_split import ask_split  # late: imports OpenCV

    ask_split(args, server)


if __name__ == "__main__":
    sys.exit(main())
