"""Make answers for Ref-Thinker to learn, from the ground truth of a dataset in the layout of Ref-AVSBench.

python -m scripts.think.make_tuning_set --data_dir results/quickstart/world --output_dir results/quickstart/thinking
"""

from __future__ import annotations

import sys
from pathlib import Path

from configs.thinking import TuningSetArguments
from scripts.program import run_program


def main(argv: list[str] | None = None) -> int:
    return run_program("make_tuning_set", (TuningSetArguments,), work, argv, __doc__)


def work(args: TuningSetArguments) -> None:
    from dataset.referring.expressions import SPLIT_NAMES  # late: imports OpenCV
    from dataset.referring.layout import ReferringData
    from dataset.referring.thinking import TUNING_FILE
    from dataset.referring.tuning import known_objects, make_answers, metadata_text, null_expressions
    from utils.whole_files import write_json, write_text

    data = ReferringData(Path(args.data_dir), metadata=Path(args.metadata) if args.metadata else None)
    rows, videos = data.expressions(SPLIT_NAMES), known_objects(data)
    rows += null_expressions(rows, videos, args.null_share, args.seed)
    train = [row for row in rows if row.split == "train"]
    output = Path(args.output_dir)
    write_json(output / TUNING_FILE, make_answers(train, data, videos, args.with_boxes))
    write_text(output / "RefAVSBench_metadata.csv", metadata_text(rows))
    of_nothing = sum(row.is_null for row in train)
    print(f"{len(train)} answers, {of_nothing} of them about nothing, written to {output}")


if __name__ == "__main__":
    sys.exit(main())
