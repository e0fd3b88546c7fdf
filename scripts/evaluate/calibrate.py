"""Calibrate an auditor: temperatures for its probabilities, and a threshold that keeps a promise, from audits of videos
that are neither trained on nor scored.

python -m scripts.evaluate.calibrate results/validation/test_s_image_mask-all_rank-all --share 1 \\
    --auditor results/quickstart/MQ-Auditor --measure results/quickstart/test_s_image_mask-all_rank-all

Half of the videos fit the temperatures, the other half chooses the threshold. calibration.json goes into the auditor's
folder: audits, reports and scores by --iou expected use it. Stored probabilities stay as they are.
"""

from __future__ import annotations

import sys

from configs.calibration import CalibrationArguments
from scripts.program import run_program


def main(argv: list[str] | None = None) -> int:
    return run_program("calibrate", (CalibrationArguments,), work, argv, __doc__)


def work(args: CalibrationArguments) -> None:
    from scripts.certainty.calibrating import calibrate  # late: imports torch

    calibrate(args)


if __name__ == "__main__":
    sys.exit(main())
