"""A work list of finished audits: the masks that people should look at, worst first, as their tools read them.

python -m scripts.worklist results/quickstart --output results/worklist
python -m scripts.worklist results/quickstart --output results/worklist --policy my.yaml --marks marks.json
Beside worklist.csv it holds the frames, the masks as PNG, and the same for COCO (CVAT, ...), YOLO-seg, Label Studio and
FiftyOne, and prompts for a segmenter.
"""

from __future__ import annotations

import sys

from configs.worklist import WorklistArguments
from scripts.program import run_program


def main(argv: list[str] | None = None) -> int:
    return run_program("worklist", (WorklistArguments,), worklist, argv, __doc__)


def worklist(args: WorklistArguments) -> None:
    """Flag masks by the policy, write them in every format, and say how many there are and why."""
    from scripts.flagged.build import build_worklist

    print(build_worklist(args))
    print(f"written to {args.output}")


if __name__ == "__main__":
    sys.exit(main())
