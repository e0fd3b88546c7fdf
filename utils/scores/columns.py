"""The columns of the paper's Table 2 (image mode) and Table 3 (video mode).

Each column is what `metrics` gives for a run filtered to its mask type and rank; `scoring` decides when they are made.
"""

from __future__ import annotations

from functools import partial

from utils.audit import canonical_mask_type
from utils.mask_types import LEVEL_RANKS, PAPER_COLUMNS
from utils.prediction import Prediction
from utils.records import passes_filters
from utils.scores.answers import Answers, Labels
from utils.scores.counts import mean
from utils.scores.metrics import frame_scores
from utils.scores.video import video_average, video_rows

METRICS = ("rmse", "f2_mask_type", "f2_action")


def column_name(mask_type: str, level: str) -> str:
    """("cutout", "hard") -> "cutout_hard"; a type that is not graded is just "perfect"."""
    return mask_type if level == "all" else f"{mask_type}_{level}"


def ranks_known(predictions: list[Prediction] | Answers, eval_mode: str) -> bool:
    """Whether the columns can be computed: there are predictions, and each one of a graded type has its rank."""
    graded = [mask_type for mask_type, level in PAPER_COLUMNS[eval_mode] if level != "all"]
    given = Answers.of(predictions).count("true_mask_type", "rank")
    return bool(given) and not any(canonical_mask_type(name) in graded for name, rank in given if rank is None)


def compute_columns(predictions: list[Prediction] | Answers, eval_mode: str) -> dict:
    """{metric: {column: value, ..., "avg": value}}, with num_samples per column and columns_in_avg per metric.

    Metrics: rmse in [0, 1], f2_mask_type and f2_action in percent; video mode has rmse_strict too (see `video`).
    A column without samples is None and left out of the average. A graded column takes only samples of known rank.
    """
    answers = Answers.of(predictions)
    samples = {column_name(*column): answers.where(partial(_is_in, *column)) for column in PAPER_COLUMNS[eval_mode]}
    values = {
        name: _column_values(chosen, eval_mode, mask_type) if len(chosen) else {}
        for (name, chosen), (mask_type, _) in zip(samples.items(), PAPER_COLUMNS[eval_mode], strict=True)
    }
    metrics = METRICS if eval_mode == "image" else (*METRICS, "rmse_strict")
    table: dict[str, dict] = {metric: {name: values[name].get(metric) for name in values} for metric in metrics}
    counted = {metric: sum(value is not None for value in row.values()) for metric, row in table.items()}
    for row in table.values():
        row["avg"] = mean(row.values())
    return table | {"num_samples": {name: len(chosen) for name, chosen in samples.items()}, "columns_in_avg": counted}


def _is_in(mask_type: str, level: str, labels: Labels) -> bool:
    """Whether a column has the predictions with these labels."""
    is_known = labels.true_mask_type is not None and (level == "all" or labels.rank is not None)
    return is_known and passes_filters(labels.true_mask_type, labels.rank, mask_type, LEVEL_RANKS[level])


def _column_values(answers: Answers, eval_mode: str, mask_type: str) -> dict:
    """What the summary of a run with this filter would say; the rest of it, which is more, is not worked out."""
    if eval_mode == "image":
        scores = frame_scores(answers, answers.of_type(mask_type), mask_type, gt_only=False)
        f2_mask, f2_action = scores["mask_macro"]["f2"], scores["action_macro"]["f2"]
    else:
        scores = video_average(video_rows(answers))
        f2_mask = scores["mask_macro_avg_per_video"]["f2"]
        f2_action = scores["action_macro_avg_per_video"]["f2"]
    return {
        "rmse": scores["rmse"],
        "f2_mask_type": None if f2_mask is None else 100 * f2_mask,
        "f2_action": None if f2_action is None else 100 * f2_action,
        "rmse_strict": scores.get("rmse_strict"),
    }
