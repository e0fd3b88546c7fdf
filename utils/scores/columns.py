"""The columns of the paper's Table 2 (image mode) and Table 3 (video mode), and the published MQ-Auditor rows.

Each column is what `metrics` gives for a run filtered to its mask type and rank; `scoring` says when to make them.
"""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path

from utils.audit import canonical_mask_type
from utils.prediction import Prediction
from utils.records import passes_filters
from utils.scores.counts import mean
from utils.scores.metrics import EVAL_MODES, score_predictions

TEST_NAMES = ("test_s", "test_u")
METRICS = ("rmse", "f2_mask_type", "f2_action")

_RANKS = {"all": -1, "hard": 1, "medium": 2}
_GRADED = [("cutout", "hard"), ("cutout", "medium"), ("dilate", "hard"), ("dilate", "medium"), ("erode", "hard"),
           ("erode", "medium")]  # fmt: skip
COLUMNS = {
    "image": [("perfect", "all"), *_GRADED, ("merge", "all"), ("full_neg", "all")],
    "video": [("perfect", "all"), *_GRADED, ("merge", "hard"), ("full_neg", "hard")],
}


def column_name(mask_type: str, level: str) -> str:
    """("cutout", "hard") -> "cutout_hard"; a type that is not graded is just "perfect"."""
    return mask_type if level == "all" else f"{mask_type}_{level}"


def ranks_known(predictions: list[Prediction], eval_mode: str) -> bool:
    """Whether the columns can be told apart: there are predictions, and none of a graded type lacks its rank."""
    graded = [mask_type for mask_type, level in COLUMNS[eval_mode] if level != "all"]
    lacking = [p for p in predictions if p.rank is None and canonical_mask_type(p.true.mask_type) in graded]
    return bool(predictions) and not lacking


def compute_columns(predictions: list[Prediction], eval_mode: str) -> dict:
    """{metric: {column: value, ..., "avg": value}}, with num_samples per column and columns_in_avg per metric.

    Metrics: rmse in [0, 1], f2_mask_type and f2_action in percent; video mode has rmse_strict too (`video_metrics`).
    A column without samples is None and left out of the average. A graded column takes only samples of known rank.
    """
    samples = {column_name(*column): _select(predictions, *column) for column in COLUMNS[eval_mode]}
    values = {
        name: _column_values(chosen, eval_mode, *column) if chosen else {}
        for (name, chosen), column in zip(samples.items(), COLUMNS[eval_mode], strict=True)
    }
    metrics = METRICS if eval_mode == "image" else (*METRICS, "rmse_strict")
    table: dict[str, dict] = {metric: {name: values[name].get(metric) for name in values} for metric in metrics}
    counted = {metric: sum(value is not None for value in row.values()) for metric, row in table.items()}
    for row in table.values():
        row["avg"] = mean(row.values())
    return table | {"num_samples": {name: len(chosen) for name, chosen in samples.items()}, "columns_in_avg": counted}


def _select(predictions: list[Prediction], mask_type: str, level: str) -> list[Prediction]:
    return [
        p
        for p in predictions
        if p.true.mask_type is not None
        and (level == "all" or p.rank is not None)
        and passes_filters(p.true.mask_type, p.rank, mask_type, _RANKS[level])
    ]


def _column_values(predictions: list[Prediction], eval_mode: str, mask_type: str, level: str) -> dict:
    summary = score_predictions(predictions, eval_mode, mask_type, _RANKS[level])
    if eval_mode == "image":
        scores, f2_mask, f2_action = summary, summary["mask_macro"]["f2"], summary["action_macro"]["f2"]
    else:
        scores = summary["video_avg"]
        f2_mask = scores["mask_macro_avg_per_video"]["f2"]
        f2_action = scores["action_macro_avg_per_video"]["f2"]
    return {
        "rmse": scores["rmse"],
        "f2_mask_type": None if f2_mask is None else 100 * f2_mask,
        "f2_action": None if f2_action is None else 100 * f2_action,
        "rmse_strict": scores.get("rmse_strict"),
    }


@cache
def _published_tables() -> dict:
    return json.loads(Path(__file__).with_name("published_tables.json").read_text(encoding="utf-8"))


def published_columns(test_name: str, eval_mode: str) -> dict:
    """The paper's MQ-Auditor rows, keyed as `compute_columns`: {metric: {column: value, ..., "avg": value}}.

    Raises ValueError for a test set or mode that the paper does not have.
    """
    if test_name not in TEST_NAMES or eval_mode not in EVAL_MODES:
        raise ValueError(f"published rows: expected {TEST_NAMES} and {EVAL_MODES}, got {test_name!r} and {eval_mode!r}")
    tables = _published_tables()
    if eval_mode == "image":
        rows = {metric: tables["table2_image_based"][test_name][metric]["MQ-Auditor"] for metric in METRICS}
    else:
        rows = tables["table3_video_based_mq_auditor"][test_name]
    return {
        metric: {"avg" if key == "avg" else column_name(*key.split("/")): value for key, value in rows[metric].items()}
        for metric in METRICS
    }


ABLATIONS = {
    "Table 5": "table5_iou_estimation",
    "Table 6": "table6_positive_ratio",
    "Table 9": "table9_mask_input",
    "Table 10": "table10_train_fraction",
}


def published_ablation(title: str) -> dict[str, dict]:
    """The paper's rows of an ablation whose title begins with its number, e.g. "Table 9: mask inputs"; else none."""
    name = next((name for number, name in ABLATIONS.items() if title.startswith(f"{number}:")), None)
    return _published_tables()[name] if name else {}


def is_published_benchmark(predictions: list[Prediction], eval_mode: str, test_name: str) -> bool:
    """Whether the samples are the paper's: masks per type as in its Table 8, uids as many as references in Table 1."""
    if test_name not in TEST_NAMES or eval_mode not in EVAL_MODES:
        return False
    tables = _published_tables()
    expected = {k: n for k, n in tables["table8_masks_per_type"][f"{eval_mode}/{test_name}"].items() if k != "total"}
    uids = {p.uid for p in predictions}
    references = tables["table1_statistics"][eval_mode][test_name]["references"]
    return Counter(p.true.mask_type for p in predictions) == expected and len(uids) == references
