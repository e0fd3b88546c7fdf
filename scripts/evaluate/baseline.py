"""Ask another auditor about the masks of a test split, and score its answers: a server, or a model in a local folder.

python -m scripts.evaluate.baseline --server http://localhost:8000/v1 --model Qwen/Qwen3-Omni-30B-A3B-Instruct
python -m scripts.evaluate.baseline --model_dir pretrained_weights/Qwen2.5-Omni-7B
Started again it asks only what is missing. scripts/evaluate/baseline.sh starts it with settings from variables.
"""

from __future__ import annotations

import sys

from configs.baselines import BaselineArguments, LocalArguments, ServerArguments
from scripts.program import run_program


def main(argv: list[str] | None = None) -> int:
    """Exit code 0, or 2 after one sentence on stderr: wrong input, a server that does not answer, a limit reached."""
    return run_program("baseline", (BaselineArguments, ServerArguments, LocalArguments), work, argv, __doc__)


def work(args: BaselineArguments, server: ServerArguments, local: LocalArguments) -> None:
    from scripts.baselines.ask_split import ask_split  # late: imports OpenCV

    ask_split(args, server, local)


if __name__ == "__main__":
    sys.exit(main())
