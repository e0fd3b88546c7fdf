"""Some right and some wrong audits of a finished run as pictures.

python -m scripts.evaluate.show_audits results/quickstart --data_dir results/quickstart/MQ-RAVSBench
"""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

from dataset.benchmark.annotations import read_test
from dataset.media.images import read_mask, read_upright_frame, resize_mask
from scripts.evaluate.summarize import read_runs
from scripts.program import run_program
from utils.audit import normalize_action
from utils.mask_types import MASK_TYPES
from utils.prediction import Prediction
from utils.reports.audit_sheet import ShownAudit, write_audit_sheet
from utils.splits import TEST_NAMES


@dataclass(kw_only=True)
class ShowArguments:
    """Which audits are shown."""

    results: str = field(metadata={"help": "Folder with the runs' folders.", "positional": True})
    data_dir: str = field(metadata={"help": "Folder of the benchmark."})
    test_name: str = field(default="test_s", metadata={"help": "Split.", "choices": TEST_NAMES})
    count: int = field(default=8, metadata={"help": "Right ones, and as many wrong ones."})
    seed: int = field(default=0, metadata={"help": "Which ones are drawn."})
    output: str | None = field(default=None, metadata={"help": "Folder of the pictures. Default: <results>"})

    def __post_init__(self):
        if self.count < 1:
            raise ValueError(f"--count: expected at least 1, got {self.count}")


def main(argv: list[str] | None = None) -> int:
    return run_program("show_audits", (ShowArguments,), show_audits, argv, __doc__)


def show_audits(args: ShowArguments) -> None:
    """Draw masks of every type in turn, right ones and wrong ones, and write audits_right.png and audits_wrong.png."""
    runs = read_runs(Path(args.results))
    if (args.test_name, "image") not in runs:
        raise FileNotFoundError(f"{args.results}: expected a run of {args.test_name} in image mode, got none")
    places = {
        (sample.uid, candidate.mask_name): (sample, candidate)
        for sample in read_test(args.data_dir, args.test_name, "image").samples
        for candidate in sample.candidates
    }
    predictions = [p for p in runs[args.test_name, "image"] if (p.uid, p.mask_path) in places]
    if not predictions:
        raise ValueError(f"--data_dir {args.data_dir}: expected the audited masks of {args.results}, got none of them")
    random.Random(args.seed).shuffle(predictions)
    output = Path(args.output or args.results)
    output.mkdir(parents=True, exist_ok=True)
    for name, wanted in (("right", True), ("wrong", False)):
        chosen = [p for p in predictions if _is_right(p) == wanted]
        shown = [_show(p, *places[p.uid, p.mask_path]) for p in _types_in_turn(chosen, args.count)]
        write_audit_sheet(output / f"audits_{name}.png", f"{len(shown)} {name} audits of {args.test_name}", shown)
        print(f"written: {output / f'audits_{name}.png'}")


def _is_right(prediction: Prediction) -> bool:
    """Whether both mask type and action are right."""
    true, said = prediction.true, prediction.said
    return (said.mask_type, said.action) == (true.mask_type, normalize_action(true.action))


def _types_in_turn(predictions: list[Prediction], count: int) -> list[Prediction]:
    """Up to `count` predictions, taking the mask types in turn."""
    by_type = [[p for p in predictions if p.true.mask_type == name] for name in MASK_TYPES]
    longest = max(map(len, by_type), default=0)
    return [own[i] for i in range(longest) for own in by_type if i < len(own)][:count]


def _show(prediction: Prediction, sample, candidate) -> ShownAudit:
    frame = read_upright_frame(sample.frame_path)
    perfect = next((c for c in sample.candidates if c.audit.mask_type == "perfect"), None)
    if perfect is None:
        raise ValueError(f"sample {sample.uid}: expected a perfect mask to draw the truth from, got none")
    mask, truth = (resize_mask(read_mask(c.mask_path), frame.shape[:2]) for c in (candidate, perfect))
    true = replace(prediction.true, action=normalize_action(prediction.true.action))
    return ShownAudit(sample.expression, frame, mask, truth, prediction.said, true)


if __name__ == "__main__":
    sys.exit(main())
