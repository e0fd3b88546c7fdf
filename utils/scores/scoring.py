"""All that a finished run writes, from its predictions: summary, predictions, video rows, and the files' names.

`scripts/evaluate/run.py` calls this after generating answers, `scripts/evaluate/score.py` on saved answers.
"""

from __future__ import annotations

import logging
from typing import NamedTuple

import numpy as np

from utils.audit import ACTIONS
from utils.mask_types import MASK_TYPES
from utils.prediction import Prediction
from utils.records import normalize_filters, passes_filters
from utils.scores.answers import Answers
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
    answers = Answers.of(kept)
    _warn_of_oddities(answers)
    rows = video_rows(answers) if eval_mode == "video" else []
    summary = score_predictions(answers, eval_mode, mask_type, rank, rows)
    if mask_type == "all" and rank <= 0 and ranks_known(answers, eval_mode):
        summary["columns"] = compute_columns(answers, eval_mode)
    return summary, kept, rows


def _warn_of_oddities(answers: Answers) -> None:
    read = {*answers.count("said_mask_type"), *answers.count("said_action")}
    if not len(answers):
        logger.warning("no records to score: every figure is null")
    elif read == {None} and all(iou is None for iou in answers.said):
        logger.warning("no answer could be parsed (cut off by max_new_tokens? special tokens lost from raw_output?)")
    true = answers.true.astype(float)  # None is NaN
    if unknown := np.isnan(true).sum():
        logger.warning("%d of %d records have no iou_to_gt: the RMSE leaves them out", unknown, len(answers))
    known = np.array([KNOWN_IOUS.get(labels.true_mask_type, np.nan) for labels in answers.labels])[answers.kinds]
    wrong = np.flatnonzero(np.abs(known - true) > IOU_SLACK)
    if len(wrong):
        mask_type, uid = answers.labels[answers.kinds[wrong[0]]].true_mask_type, answers.uids[answers.videos[wrong[0]]]
        logger.warning(
            "ground truth that contradicts itself: %d records, for example a %s mask (uid %s) of IoU %g",
            *(len(wrong), mask_type, uid, true[wrong[0]]),
        )
    for name, label, known in (("mask types", "true_mask_type", MASK_TYPES), ("actions", "true_action", ACTIONS)):
        odd = {truth: count for truth, count in answers.count(label).items() if truth not in known}
        if odd:
            listed = ", ".join(f"{label!r} ({count})" for label, count in odd.items())
            logger.warning("ground truth %s that are no class and can never be hit: %s", name, listed)
