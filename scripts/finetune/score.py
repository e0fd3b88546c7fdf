"""Score a JSON lines file of generated answers; needs no model, so it can be rerun after a parser fix.

python -m scripts.finetune.score predictions.jsonl --eval_mode image --output metrics.json
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from utils.columns import TEST_NAMES, is_published_benchmark, published_columns, render_columns_table
from utils.records import read_records, write_json, write_jsonl
from utils.scoring import score_records


def main(argv: list[str] | None = None) -> int:
    """Exit code 0, or 2 after one sentence on stderr for input that cannot be scored."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    args = parse_args(argv)
    try:
        records = read_records(args.records)
        summary, predictions, video_rows = score_records(
            records, args.eval_mode, args.mask_type_filter, args.mask_rank_filter
        )
        write_json(args.output, summary)
        if args.predictions_output:
            write_jsonl(args.predictions_output, predictions)
        if args.video_avg_output:
            write_jsonl(args.video_avg_output, video_rows)
    except (OSError, ValueError) as error:
        print(f"score: {error}", file=sys.stderr)
        return 2
    print(render_summary(summary, predictions, args.eval_mode))
    return 0


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.finetune.score",
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
    parser.add_argument("--eval_mode", choices=("image", "video"), default="image", help="default: image")
    parser.add_argument(
        "--mask_type_filter",
        default="all",
        metavar="TYPE",
        help="score only records of this type: perfect, cutout, erode, dilate, merge, full_neg, null (default: all)",
    )
    parser.add_argument(
        "--mask_rank_filter",
        type=int,
        default=-1,
        metavar="N",
        help="score only records of this rank (1 hard, 2 medium); perfect masks and records without a rank stay; "
        "-1 means all ranks (default)",
    )
    parser.add_argument("--output", type=Path, required=True, help="where to write the metrics summary (JSON)")
    parser.add_argument("--predictions_output", type=Path, help="also write the parsed predictions (JSON lines)")
    parser.add_argument("--video_avg_output", type=Path, help="also write one row per video (JSON lines; video mode)")
    args = parser.parse_args(argv)
    if args.video_avg_output and args.eval_mode != "video":
        parser.error("--video_avg_output needs --eval_mode video")
    if args.output.resolve() == args.records.resolve():
        parser.error(f"--output {args.output} would overwrite the records")
    return args


def render_summary(summary: dict, predictions: list[dict], eval_mode: str) -> str:
    """The answer for the terminal: headline figures, and the paper's columns where the summary has them."""
    failures = summary["prediction_failures"]
    lines = [
        f"samples {summary['samples']}, unparsed: iou {failures['iou_value']['count_all']}, "
        f"mask type {failures['mask_type']['count_all']}, action {failures['action']['count_all']}",
        f"per sample: RMSE {_figure(summary['rmse'])}, macro F2 mask type {_figure(summary['mask_macro']['f2'])}, "
        f"macro F2 action {_figure(summary['action_macro']['f2'])}",
    ]
    if video := summary.get("video_avg"):
        lines.append(
            f"per video ({video['videos']}): RMSE {_figure(video['rmse'])}, "
            f"macro F2 mask type {_figure(video['mask_macro_avg_per_video']['f2'])}, "
            f"macro F2 action {_figure(video['action_macro_avg_per_video']['f2'])}"
        )
    if columns := summary.get("columns"):
        name = next((name for name in TEST_NAMES if is_published_benchmark(predictions, eval_mode, name)), None)
        published = published_columns(name, eval_mode) if name else None
        lines += ["", render_columns_table(columns, published)]
    return "\n".join(lines)


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


if __name__ == "__main__":
    sys.exit(main())
