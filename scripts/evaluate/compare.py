"""Put finished runs of any auditors side by side, beside rows that never look and the paper's own.

python -m scripts.evaluate.compare RUN RUN ... --data_dir results/quickstart/MQ-RAVSBench --output results/comparison
A RUN is the folder of a finished run, or its predictions file, or NAME=FOLDER.
"""

from __future__ import annotations

import logging
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from dataset.benchmark.annotations import read_train
from dataset.media.images import read_mask
from scripts.evaluate.compared_runs import on_the_same_masks, only_videos, read_run, reply_figures
from scripts.program import run_program
from utils.audit import normalize_action
from utils.certainty.expected import EXPECTED, IOU_KINDS, WRITTEN
from utils.prediction import Prediction
from utils.reading.reply import READERS
from utils.reports.comparison_tables import (
    columns_table,
    differences_table,
    quality_table,
    reading_table,
    replies_table,
)
from utils.scores.columns import compute_columns, ranks_known
from utils.scores.paired import paired_differences
from utils.scores.published import is_published_benchmark, published_rows
from utils.scores.quality import contradictions, iou_quality, reading_levels
from utils.scores.together import AREA_ALONE, area_row, ensemble, fixed_rows, trained_rows
from utils.splits import TEST_NAMES
from utils.whole_files import own_folder, write_json, write_text

logger = logging.getLogger("compare")


@dataclass(kw_only=True)
class CompareArguments:
    """Which runs are compared, and how."""

    runs: list[str] = field(metadata={"help": "Folders of runs, or NAME=FOLDER.", "positional": True, "metavar": "RUN"})
    data_dir: str | None = field(
        default=None, metadata={"help": "Folder of the benchmark: for the rows that know the training masks."}
    )
    output: str = field(default="results/comparison", metadata={"help": "Folder of the tables."})
    level: str | None = field(
        default=None, metadata={"help": "How all replies are read. Default: as each run did.", "choices": READERS}
    )
    common: bool = field(default=False, metadata={"help": "Compare on the masks that all runs have."})
    max_videos: int = field(default=0, metadata={"help": "Only so many videos, drawn by --seed; 0: all."})
    ensemble: list[str] = field(
        default_factory=list, metadata={"help": "Names of the runs that vote in the ensemble row. Default: all."}
    )
    iou: str = field(
        default=WRITTEN,
        metadata={
            "help": "Which IoUs are compared: the written ones, or the expected ones, with each auditor's calibration "
            "(docs/certainty.md).",
            "choices": IOU_KINDS,
        },
    )
    resamples: int = field(default=200, metadata={"help": "Draws of videos for the intervals; 0: no intervals."})
    seed: int = field(default=0, metadata={"help": "Of all draws."})


def main(argv: list[str] | None = None) -> int:
    """Exit code 0, or 2 after one sentence on stderr, above all for runs on different masks."""
    return run_program("compare", (CompareArguments,), compare, argv, __doc__)


def compare(args: CompareArguments) -> None:
    """Read, check, score; write comparison.md and comparison.json, and print the first."""
    runs = on_the_same_masks([read_run(text, args.level, args.iou) for text in args.runs], args.common)
    runs = only_videos(runs, args.max_videos, args.seed)
    predictions, eval_mode = runs[0].predictions, runs[0].eval_mode
    if not ranks_known(predictions, eval_mode):
        raise ValueError("expected a rank for each mask, got masks without: the paper's columns need them")
    own = {run.name: run.predictions for run in runs}
    rows = own | ensemble_row(own, args.ensemble) | blind_rows(predictions, args)
    tables = {name: compute_columns(answers, eval_mode) for name, answers in rows.items()}
    test_name = next((name for name in TEST_NAMES if is_published_benchmark(predictions, eval_mode, name)), None)
    published = published_rows(test_name, eval_mode) if test_name else {}
    differences = paired_differences(rows, eval_mode, args.resamples, args.seed) if args.resamples else {}
    quality = {name: iou_quality(a) | {"contradictions": contradictions(a)} for name, a in rows.items()}
    levels = {run.name: reading_levels(run.predictions, run.reader) for run in runs}
    figures = {run.name: reply_figures(run) for run in runs}
    of_ious = ", expected IoUs" if args.iou == EXPECTED else ""
    title = f"Differences, 95% intervals from {args.resamples} draws of videos"
    parts = {
        f"{len(predictions)} masks, {eval_mode} mode{of_ious}": columns_table(tables, published),
        title: differences_table(differences, runs[0].name),
        "IoUs": quality_table(quality),
        "How the replies were read, in percent of the masks": reading_table(levels),
        "Replies": replies_table(figures, {run.name: run.not_taken for run in runs}, len(predictions)),
    }
    text = "\n\n".join(f"## {title}\n\n{table}" for title, table in parts.items()) + "\n"
    folder = own_folder(args.output)
    write_text(folder / "comparison.md", text)
    content = {"masks": len(predictions), "eval_mode": eval_mode, "iou_scored": args.iou}
    content |= {
        "columns": tables,
        "published": published,
        "differences": differences,
        "ious": quality,
        "levels": levels,
        "replies": figures,
    }
    write_json(folder / "comparison.json", content)
    print(text)
    print(f"written to {folder}")


def ensemble_row(runs: dict[str, list[Prediction]], chosen: list[str]) -> dict[str, list[Prediction]]:
    """The ensemble of the chosen runs, by default of all; no row for a single run."""
    if unknown := [name for name in chosen if name not in runs]:
        raise ValueError(f"--ensemble: expected names of runs ({', '.join(runs)}), got {unknown[0]}")
    voting = {name: runs[name] for name in chosen or runs}
    return {f"ensemble of {len(voting)}": ensemble(voting)} if len(voting) > 1 else {}


def blind_rows(predictions: list[Prediction], args: CompareArguments) -> dict[str, list[Prediction]]:
    """Rows that never look at the pictures; those that know the training masks only with --data_dir."""
    rows = fixed_rows(predictions)
    if args.data_dir is None:
        logger.warning("no --data_dir: without the rows class priors, mean IoU and mask area alone")
        return rows
    candidates = [c for sample in read_train(Path(args.data_dir)).samples for c in sample.candidates]
    train = [replace(c.audit, action=normalize_action(c.audit.action)) for c in candidates]
    rows |= trained_rows(predictions, train, args.seed)
    paths = [Path(args.data_dir) / p.mask_path for p in predictions]
    areas, train_areas = _areas(paths), _areas([c.mask_path for c in candidates])
    return rows | {AREA_ALONE: area_row(predictions, areas, list(zip(train_areas, train, strict=True)))}


def _areas(paths: list[Path]) -> list[float]:
    """The share of the picture that each mask covers."""
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda path: float(read_mask(path).mean()), paths))


if __name__ == "__main__":
    sys.exit(main())
