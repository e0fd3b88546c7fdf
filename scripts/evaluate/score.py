"""Score a JSON lines file of generated answers; needs no model, so it can be rerun after a parser fix.

python -m scripts.evaluate.score predictions.jsonl --eval_mode image --output metrics.json
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from utils.mask_types import MASK_TYPES
from utils.records import prediction_row, read_predictions
from utils.reports.terminal import render_summary
from utils.scores.agreement import compare_runs, render_agreement
from utils.scores.scoring import score_answers
from utils.splits import EVAL_MODES
from utils.whole_files import write_json, write_jsonl


def main(argv: list[str] | None = None) -> int:
    """Exit code 0, or 2 after one sentence on stderr for input that cannot be scored."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    args = parse_args(argv)
    settings = args.eval_mode, args.mask_type_filter, args.mask_rank_filter
    try:
        summary, predictions, video_rows = score_answers(read_predictions(args.records), *settings)
        if args.against:
            other_summary, others, _ = score_answers(read_predictions(args.against), *settings)
            summary["against"] = compare_runs(predictions, others, summary, other_summary)
        write_json(args.output, summary)
        if args.predictions_output:
            write_jsonl(args.predictions_output, map(prediction_row, predictions))
        if args.video_avg_output:
            write_jsonl(args.video_avg_output, video_rows)
    except (OSError, ValueError) as error:
        print(f"score: {error}", file=sys.stderr)
        return 2
    print(render_summary(summary, predictions, args.eval_mode))
    if args.against:
        print(f"against {args.against}, {render_agreement(summary['against'])}")
    return 0


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.evaluate.score",
        description="Score generated answers: RMSE of the IoU, F2 of mask type and action, and, without filters and "
        "with known ranks, the columns of the paper's Table 2 (image) or Table 3 (video).",
    )
    parser.add_argument(
        "records",
        metavar="RECORDS.jsonl",
        type=Path,
        help="one JSON object per line: uid, mask_type, iou_to_gt, action, raw_output, optionally vid, frame_idx, "
        "rank, mask_path, generated_ids (any may be null); or a predictions file of an earlier run, parsed anew",
    )
    parser.add_argument("--eval_mode", choices=EVAL_MODES, default="image", help="default: image")
    parser.add_argument(
        "--mask_type_filter",
        default="all",
        metavar="TYPE",
        help=f"score only records of this type: {', '.join(MASK_TYPES)} (default: all)",
    )
    parser.add_argument(
        "--mask_rank_filter",
        type=lambda text: -1 if text.lower() == "none" else int(text),
        default=-1,
        metavar="N",
        help="score only records of this rank (1 hard, 2 medium); perfect masks and records without a rank stay; "
        "-1 means all ranks (default)",
    )
    parser.add_argument("--output", type=Path, required=True, help="where to write the metrics summary (JSON)")
    parser.add_argument(
        "--against",
        metavar="OTHER.jsonl",
        type=Path,
        help="records of another run on the same masks, e.g. in float32: also says how many answers differ, and "
        "by how much the scores do",
    )
    parser.add_argument("--predictions_output", type=Path, help="also write the parsed predictions (JSON lines)")
    parser.add_argument("--video_avg_output", type=Path, help="also write one row per video (JSON lines; video mode)")
    args = parser.parse_args(argv)
    if args.video_avg_output and args.eval_mode != "video":
        parser.error("--video_avg_output needs --eval_mode video")
    if args.output.resolve() == args.records.resolve():
        parser.error(f"--output {args.output} would overwrite the records")
    written = [path.resolve() for path in (args.output, args.predictions_output, args.video_avg_output) if path]
    if args.against and args.against.resolve() in written:
        parser.error(f"--against {args.against} would be overwritten by what is written")
    return args


if __name__ == "__main__":
    sys.exit(main())
