"""The masks of a benchmark as audit requests, and what a finished run writes: scores, predictions, run.json."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from dataset.benchmark.samples import Benchmark
from scripts.answering.answerer import AuditRequest
from utils.answer_log import EARLIER
from utils.audit import canonical_mask_type
from utils.certainty.expected import EXPECTED, WRITTEN, iou_line, iou_record, with_expected_ious
from utils.certainty.stored import Calibration, scaling_of
from utils.reading.reply import STRICT
from utils.records import prediction_row, to_predictions
from utils.reports.terminal import render_summary
from utils.run_record import write_run_record
from utils.scores.scoring import ResultNames, score_answers
from utils.whole_files import own_folder, write_json, write_jsonl

logger = logging.getLogger("inference")


class Filters(Protocol):
    """The settings that say which masks a run asks about."""

    eval_mode: str
    mask_type_filter: str
    mask_rank_filter: int


def write_results(
    folder: Path,
    names: ResultNames,
    args: Filters,
    benchmark: Benchmark,
    records: Sequence[dict],
    settings: dict,
    reader: str = STRICT,
    iou: str = WRITTEN,
    calibration: Calibration | None = None,
) -> str:
    """Score the records of all masks and write everything; the metrics summary comes last and tells that the run is
    finished. `reader` as in `read_reply`. `iou`: which one is scored; the expected one with the auditor's
    `calibration`. Returns the tables as text.
    """
    answers = to_predictions(records, reader)
    if iou == EXPECTED:
        answers = list(with_expected_ious(answers, scaling_of(calibration), folder))
    mask_type = canonical_mask_type(args.mask_type_filter)
    summary, predictions, video_rows = score_answers(answers, args.eval_mode, mask_type, args.mask_rank_filter)
    summary |= iou_record(iou, calibration)
    skipped = [str(problem) for problem in benchmark.problems]
    summary["bad_samples_skipped"] = {"count": len(skipped), "problems": skipped}
    write_jsonl(folder / names.predictions, map(prediction_row, predictions))
    if names.video_avg:
        write_jsonl(folder / names.video_avg, video_rows)
    counts = {"passed_over": benchmark.passed_over, "bad_samples_skipped": len(skipped)}
    write_run_record(folder, settings, benchmark.files, seed=None, counts=counts)
    write_json(folder / names.metrics, summary)
    return iou_line(iou, calibration) + render_summary(summary, predictions, args.eval_mode)


def set_aside(folder: Path, names: Sequence[str]) -> Path | None:
    """Move the results of an earlier run to the first of `previous`, `previous-2`, ... that has room for them, so that
    they are neither mixed with this run's nor lost. Returns where they are now, None if there are none.
    """
    left = [name for name in names if (folder / name).exists()]
    if not left:
        return None
    target, number = folder / EARLIER, 1
    while any((target / name).exists() for name in left):
        number += 1
        target = folder / f"{EARLIER}-{number}"
    logger.info("the results of an earlier run go to %s", target)
    own_folder(target)
    for name in left:
        (folder / name).replace(target / name)
    return target


def requests_of(benchmark: Benchmark) -> list[AuditRequest]:
    """Every mask, in the published order of evaluation."""
    pairs = [(benchmark.samples[s], c) for s, c in benchmark.requests()]
    return [AuditRequest(sample, sample.candidates[c]) for sample, c in pairs]
