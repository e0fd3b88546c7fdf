"""All that a finished run writes, from its predictions: summary, predictions, video rows, and the files' names.

`scripts/evaluate/run.py` calls this after generating answers, `scripts/evaluate/score.py` on saved answers.
"""

from __future__ import annotations

import logging
from collections import Counter
from operator import attrgetter
from typing import NamedTuple

from utils.audit import ACTIONS, Audit
from utils.mask_types import MASK_TYPES
from utils.prediction import Prediction
from utils.records import normalize_filters, passes_filters
from utils.scores.columns import compute_columns, ranks_known
from utils.scores.metrics import score_predictions
from utils.scores.video import video_rows

logger = logging.getLogger(__name__)
KNOWN_IOUS, IOU_SLACK = {"perfect": 1.0, "full_neg": 0.0, "null": 0.0}, 0.01


class ResultNames(NamedTuple):
    """Where a run's results go: a directory and the file names in it; video_avg is None in image mode."""

    directory: str
    metrics: str
    predictions: str
    video_avg: str | None


def result_names(
    test_name: str, eval_mode: str, mask_type_filter: str | None = "all", mask_rank_filter: int | None = -1
) -> ResultNames:
    """The published names, e.g. test_s_image_mask-merge_rank-all/metrics_summary_image_mask-merge_rank-all.json."""
    mask_type, rank = normalize_filters(mask_type_filter, mask_rank_filter)
    # An unknown filter may contain anything, also slashes; it must not change the path.
    mask_type = mask_type.replace("/", "_").replace("\\", "_")
    run = f"{eval_mode}_mask-{mask_type}_rank-{rank if rank > 0 else 'all'}"
    return ResultNames(
        directory=f"{test_name}_{run}",
        metrics=f"metrics_summary_{run}.json",
        predictions=f"predictions_{run}.jsonl",
        video_avg=f"predictions_video_avg_{run}.jsonl" if eval_mode == "video" else None,
    )


def score_answers(
    predictions: list[Prediction],
    eval_mode: str,
    mask_type_filter: str | None = "all",
    mask_rank_filter: int | None = -1,
) -> tuple[dict, list[Prediction], list[dict]]:
    """All predictions -> (summary, those scored, video rows); video rows are [] in image mode.

    Predictions that the filters would not have asked about are left out, and their number is logged. Without filters,
    and if ranks are known, the summary gets the paper's `columns`. Raises ValueError for an unknown mode.
    """
    mask_type, rank = normalize_filters(mask_type_filter, mask_rank_filter)
    kept = predictions
    if mask_type != "all" or rank > 0:
        kept = [p for p in predictions if passes_filters(p.true.mask_type, p.rank, mask_type, rank)]
    if len(kept) < len(predictions):
        logger.warning(
            "%d of %d records left out: not of mask type %s, rank %s",
            len(predictions) - len(kept),
            len(predictions),
            mask_type,
            rank if rank > 0 else "all",
        )
    _warn_of_oddities(kept)
    rows = video_rows(kept) if eval_mode == "video" else []
    summary = score_predictions(kept, eval_mode, mask_type, rank, rows)
    if mask_type == "all" and rank <= 0 and ranks_known(kept, eval_mode):
        summary["columns"] = compute_columns(kept, eval_mode)
    return summary, kept, rows


def _warn_of_oddities(predictions: list[Prediction]) -> None:
    if not predictions:
        logger.warning("no records to score: every figure is null")
    elif all(p.said == Audit(None, None, None) for p in predictions):
        logger.warning("no answer could be parsed (cut off by max_new_tokens? special tokens lost from raw_output?)")
    ious = [p.true.iou for p in predictions]
    if unknown := ious.count(None):
        logger.warning("%d of %d records have no iou_to_gt: the RMSE leaves them out", unknown, len(predictions))
    known_ious = [KNOWN_IOUS.get(p.true.mask_type) for p in predictions]
    pairs = enumerate(zip(known_ious, ious, strict=True))
    if wrong := [predictions[i] for i, (a, b) in pairs if a is not None and b is not None and abs(a - b) > IOU_SLACK]:
        logger.warning(
            "ground truth that contradicts itself: %d records, for example a %s mask (uid %s) of IoU %g",
            *(len(wrong), wrong[0].true.mask_type, wrong[0].uid, wrong[0].true.iou),
        )
    for name, label, known in (("mask types", "mask_type", MASK_TYPES), ("actions", "action", ACTIONS)):
        truths = Counter(map(attrgetter(f"true.{label}"), predictions))
        odd = {truth: count for truth, count in truths.items() if truth not in known}
        if odd:
            listed = ", ".join(f"{label!r} ({count})" for label, count in odd.items())
            logger.warning("ground truth %s that are no class and can never be hit: %s", name, listed)
