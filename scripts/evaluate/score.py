"""Score a JSON lines file of generated answers; needs no model, so it can be rerun after a parser fix.

RMSE of the IoU, F2 of mask type and action, and, without filters and with known ranks, the columns of the paper's
Table 2 (image) or Table 3 (video).

python -m scripts.evaluate.score predictions.jsonl --eval_mode image --output metrics.json
"""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import Iterable, Iterator

from configs.scoring import ScoreArguments
from scripts.program import run_program
from utils.certainty.expected import EXPECTED, calibration_of_run, iou_line, iou_record, with_expected_ious
from utils.certainty.stored import Calibration, scaling_of
from utils.prediction import Prediction
from utils.records import normalize_filters, passes_filters, prediction_row, read_predictions, stream_predictions
from utils.reports.terminal import render_summary
from utils.scores.agreement import compare_runs, render_agreement
from utils.scores.scoring import score_answers
from utils.whole_files import write_json, write_jsonl


def main(argv: list[str] | None = None) -> int:
    """Exit code 0, or 2 after one sentence on stderr for input that cannot be scored."""
    gc.disable()  # records hold no cycles, and looking through millions of them takes a fifth of the time
    try:
        return run_program("score", (ScoreArguments,), score, argv, __doc__, logging.WARNING)
    finally:
        gc.enable()


def score(args: ScoreArguments) -> None:
    """Score the records, write what was asked for, and print the tables."""
    settings = args.eval_mode, args.mask_type_filter, args.mask_rank_filter
    calibration = calibration_of_run(args.records, args.auditor) if args.iou == EXPECTED else None
    needs_texts = args.against is not None or args.iou == EXPECTED
    records = read_predictions(args.records, args.level, texts=needs_texts)
    summary, predictions, video_rows = score_answers(chosen_ious(args, records, calibration), *settings)
    summary |= iou_record(args.iou, calibration)
    if args.against:
        theirs = calibration_of_run(args.against, args.auditor) if args.iou == EXPECTED else None
        others = chosen_ious(args, read_predictions(args.against, args.level), theirs)
        other_summary, others, _ = score_answers(others, *settings)
        summary["against"] = compare_runs(predictions, others, summary, other_summary)
    write_json(args.output, summary)
    if args.predictions_output:
        write_jsonl(args.predictions_output, map(prediction_row, with_texts(args, calibration)))
    if args.video_avg_output:
        write_jsonl(args.video_avg_output, video_rows)
    print(iou_line(args.iou, calibration) + render_summary(summary, predictions, args.eval_mode))
    if args.against:
        print(f"against {args.against}, {render_agreement(summary['against'])}")


def chosen_ious(
    args: ScoreArguments, predictions: Iterable[Prediction], calibration: Calibration | None
) -> list[Prediction]:
    """With the IoU that is to be scored."""
    if args.iou != EXPECTED:
        return list(predictions)
    return list(with_expected_ious(predictions, scaling_of(calibration), args.records))


def with_texts(args: ScoreArguments, calibration: Calibration | None) -> Iterator[Prediction]:
    """The scored predictions with their raw answers, read again from the file one by one."""
    wanted = normalize_filters(args.mask_type_filter, args.mask_rank_filter)
    streamed = stream_predictions(args.records, args.level)
    if args.iou == EXPECTED:
        streamed = with_expected_ious(streamed, scaling_of(calibration), args.records)
    return (p for p in streamed if passes_filters(p.true.mask_type, p.rank, *wanted))


if __name__ == "__main__":
    sys.exit(main())
