"""All runs of one auditor on one page: Table 2 columns beside baselines, kinds of expressions, summary.json.

python -m scripts.evaluate.summarize results/quickstart --data_dir results/quickstart/MQ-RAVSBench \\
    [--before results/quickstart/before] [--facts results/quickstart/world/facts.json]
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

from dataset.benchmark.annotations import read_train
from scripts.program import run_program
from utils.audit import Audit, normalize_action
from utils.certainty.expected import EXPECTED, IOU_KINDS, WRITTEN, calibration_of_run, with_expected_ious
from utils.certainty.stored import scaling_of
from utils.formatting import number_or_dash
from utils.prediction import Prediction
from utils.records import read_predictions
from utils.scores.baselines import MEAN_IOU, answered, baseline_answers
from utils.scores.columns import METRICS, compute_columns
from utils.scores.expression_kinds import SHOWN_TYPES, kind_scores, read_kinds
from utils.scores.scoring import result_names
from utils.splits import EVAL_MODES, TEST_NAMES
from utils.whole_files import write_json

SUMMARY_FILES = {WRITTEN: "summary.json", EXPECTED: "summary_expected.json"}


@dataclass(kw_only=True)
class SummaryArguments:
    """Which runs are put together."""

    results: str = field(metadata={"help": "Folder with the runs' folders.", "positional": True})
    data_dir: str = field(metadata={"help": "Folder of the benchmark; baselines are taken from its training masks."})
    before: str | None = field(default=None, metadata={"help": "Folder of the same runs before fine-tuning."})
    facts: str | None = field(default=None, metadata={"help": "facts.json of a drawn world, for scores by kind."})
    output: str | None = field(
        default=None,
        metadata={"help": "File to write. Default: <results>/summary.json; of expected IoUs summary_expected.json"},
    )
    iou: str = field(
        default=WRITTEN,
        metadata={
            "help": "Which IoU is scored: the written one, or the expected one, with each auditor's calibration.",
            "choices": IOU_KINDS,
        },
    )


def main(argv: list[str] | None = None) -> int:
    return run_program("summarize", (SummaryArguments,), summarize, argv, __doc__)


def summarize(args: SummaryArguments) -> None:
    """Read and score the predictions of every run found, write and print the summary."""
    runs = read_runs(Path(args.results), args.iou)
    if not runs:
        raise FileNotFoundError(f"{args.results}: expected runs such as test_s_image_mask-all_rank-all, got none")
    train = training_audits(args.data_dir)
    kinds = read_kinds(args.facts) if args.facts else {}
    summary: dict = {} if args.iou == WRITTEN else {"iou_scored": args.iou}
    for (test_name, mode), predictions in runs.items():
        scores = in_columns(predictions, mode)
        lines = {"auditor": scores}
        baselines = {}
        for name, answers in baseline_answers(train, len(predictions)).items():
            lines[name] = baselines[name] = in_columns(answered(predictions, answers), mode)
        for scored in (baselines[MEAN_IOU], *baselines[MEAN_IOU]["columns"].values()):
            for metric in METRICS[1:]:  # a mean IoU says nothing of types and actions
                scored.pop(metric)
        summary.setdefault(test_name, {})[mode] = scores | {"baselines": baselines}
        print(f"\n{test_name}, {mode} mode, {len(predictions)} masks\n{render_lines(lines)}")
        if kinds and mode == "image":
            summary[test_name]["kinds"] = kind_scores(predictions, kinds)
            print(f"\nF2-M by kind of expression\n{render_kinds(summary[test_name]['kinds'])}")
    if args.before:
        before = read_runs(Path(args.before), args.iou)
        if not before:
            raise FileNotFoundError(f"--before {args.before}: expected runs as in {args.results}, got none")
        summary["before"] = {}
        for (test_name, mode), predictions in before.items():
            summary["before"].setdefault(test_name, {})[mode] = scores = in_columns(predictions, mode)
            print(f"\nbefore fine-tuning: {test_name}, {mode} mode\n{render_lines({'auditor': scores})}")
    output = Path(args.output or Path(args.results) / SUMMARY_FILES[args.iou])
    write_json(output, summary)
    print(f"\nwritten: {output}")


def read_runs(folder: Path, iou: str = WRITTEN) -> dict[tuple[str, str], list[Prediction]]:
    """{(test name, mode): predictions} of the unfiltered runs under `folder`."""
    runs = {}
    for test_name in TEST_NAMES:
        for mode in EVAL_MODES:
            names = result_names(test_name, mode)
            file = folder / names.directory / names.predictions
            if file.is_file():
                runs[test_name, mode] = predictions = read_predictions(file)
                if iou == EXPECTED:
                    scaling = scaling_of(calibration_of_run(file))
                    runs[test_name, mode] = list(with_expected_ious(predictions, scaling, file))
    return runs


def training_audits(data_dir: str) -> list[Audit]:
    """The true audits of all training masks."""
    candidates = (c for sample in read_train(data_dir).samples for c in sample.candidates)
    return [replace(c.audit, action=normalize_action(c.audit.action)) for c in candidates]


def in_columns(predictions: list[Prediction], mode: str) -> dict:
    """Averages over the paper's columns, and each column's three figures; F2 in percent."""
    table = compute_columns(predictions, mode)
    columns = {name: {metric: table[metric][name] for metric in METRICS} for name in table["num_samples"]}
    return {metric: table[metric]["avg"] for metric in METRICS} | {"columns": columns}


def render_lines(lines: dict[str, dict]) -> str:
    """One line per metric and answerer: the average, then the columns."""
    names = list(next(iter(lines.values()))["columns"])
    heads = [name.replace("_hard", " h").replace("_medium", " m") for name in names]
    text = [f"{'':<24}{'avg':>9}" + "".join(f"{head:>10}" for head in heads)]
    for metric, label in zip(METRICS, ("RMSE", "F2-M %", "F2-A %"), strict=True):
        for who, scores in lines.items():
            if metric in scores:
                cells = [scores[metric], *(scores["columns"][name][metric] for name in names)]
                digits = 3 if metric == "rmse" else 1
                text.append(f"{label:<8}{who:<16}{number_or_dash(cells[0], digits):>9}")
                text[-1] += "".join(f"{number_or_dash(cell, digits):>10}" for cell in cells[1:])
    return "\n".join(text)


def render_kinds(kinds: dict[str, dict]) -> str:
    """Rows: kinds; columns: the types that need grounding."""
    text = [f"{'':<12}" + "".join(f"{name:>18}" for name in SHOWN_TYPES)]
    for kind, types in kinds.items():
        cells = (
            f"{number_or_dash(types[name]['f2_mask_type'], 1)} ({types[name]['num_samples']})" for name in SHOWN_TYPES
        )
        text.append(f"{kind:<12}" + "".join(f"{cell:>18}" for cell in cells))
    return "\n".join(text)


if __name__ == "__main__":
    sys.exit(main())
