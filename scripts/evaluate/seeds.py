"""The same auditor fine-tuned with several seeds: means and spreads of their summaries, as Markdown tables.

for seed in 42 43 44; do TRAIN_SEED=$seed RESULTS=results/seed_$seed bash scripts/quickstart.sh; done
python -m scripts.evaluate.seeds results/seed_*/summary.json
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, stdev

from scripts.program import run_program
from utils.scores.ablation_tables import LABELS
from utils.scores.baselines import MEAN_IOU
from utils.splits import EVAL_MODES, TEST_NAMES
from utils.text_files import read_json

Values = dict[tuple[str, ...], float]  # e.g. ("test_s", "image", "F2-M") -> value


@dataclass(kw_only=True)
class SeedsArguments:
    """Which runs."""

    summaries: list[str] = field(
        metadata={"help": "Two or more files of scripts.evaluate.summarize.", "positional": True}
    )


def main(argv: list[str] | None = None) -> int:
    return run_program("seeds", (SeedsArguments,), compare, argv, __doc__)


def compare(args: SeedsArguments) -> None:
    """Print the tables. Raises FileNotFoundError, ValueError."""
    if len(args.summaries) < 2:
        raise ValueError(f"expected two or more summaries, got {' '.join(args.summaries) or 'none'}")
    runs = [read_values(Path(path)) for path in args.summaries]
    print("\n".join(f"run {i}: {path}" for i, path in enumerate(args.summaries, start=1)) + "\n")
    for kind in runs[0]:
        values = [run[kind] for run in runs]
        if any(set(own) != set(values[0]) for own in values):
            raise ValueError(f"{kind}: expected the same tests in all summaries, got others in some")
        if values[0]:
            print(render(values) + "\n")


def read_values(path: Path) -> dict[str, Values]:
    """The values of a summary.json, by test split and by kind of expression. Raises FileNotFoundError, ValueError."""
    try:
        summary = read_json(path)
        return {"scores": dict(_scores(summary)), "kinds": dict(_kinds(summary))}
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{path}: expected a summary of scripts.evaluate.summarize, got another file") from error


def render(runs: list[Values]) -> str:
    """One row per measure: each run, their mean and standard deviation (of a sample)."""
    words = len(next(iter(runs[0])))
    heads = [*[""] * words, *(f"run {i}" for i in range(1, len(runs) + 1)), "mean", "s.d."]
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for name in runs[0]:
        own = [run[name] for run in runs]
        digits = 3 if name[-1].startswith("RMSE") else 1
        cells = [f"{value:.{digits}f}" for value in (*own, mean(own), stdev(own))]
        cells[-2] = f"**{cells[-2]}**"
        lines.append(f"| {' | '.join([*name, *cells])} |")
    return "\n".join(lines)


def _scores(summary: dict) -> Iterator[tuple[tuple[str, ...], float]]:
    for test in TEST_NAMES:
        for mode in EVAL_MODES:
            if scores := summary.get(test, {}).get(mode):
                for metric, label in LABELS.items():
                    if scores[metric] is None:
                        continue
                    yield (test, mode, label), scores[metric]
                    if metric == "rmse":
                        yield (test, mode, "RMSE of the mean IoU"), scores["baselines"][MEAN_IOU]["rmse"]
                for name, column in scores["columns"].items():
                    if name.startswith("full_neg") and column["f2_mask_type"] is not None:
                        yield (test, mode, "F2-M of full_neg"), column["f2_mask_type"]


def _kinds(summary: dict) -> Iterator[tuple[tuple[str, ...], float]]:
    for test in TEST_NAMES:
        for kind, types in summary.get(test, {}).get("kinds", {}).items():
            for mask_type, scores in types.items():
                if scores["f2_mask_type"] is not None:
                    yield (test, kind, f"F2-M of {mask_type}"), scores["f2_mask_type"]


if __name__ == "__main__":
    sys.exit(main())
