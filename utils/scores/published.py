"""The numbers that the paper prints (published_tables.json), and whether a run is on the paper's benchmark."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path

from utils.prediction import Prediction
from utils.scores.columns import METRICS, column_name
from utils.splits import EVAL_MODES, TEST_NAMES

ABLATIONS = {
    "Table 5": "table5_iou_estimation",
    "Table 6": "table6_positive_ratio",
    "Table 9": "table9_mask_input",
    "Table 10": "table10_train_fraction",
}


@cache
def published_tables() -> dict:
    """The whole file, by table."""
    return json.loads(Path(__file__).with_name("published_tables.json").read_text(encoding="utf-8"))


def published_columns(test_name: str, eval_mode: str, auditor: str = "MQ-Auditor") -> dict:
    """The paper's rows of an auditor, in video mode MQ-Auditor's alone.

    Keyed as `compute_columns`: {metric: {column: value, ..., "avg": value}}.

    Raises ValueError for a test set or mode that the paper does not have.
    """
    if test_name not in TEST_NAMES or eval_mode not in EVAL_MODES:
        raise ValueError(f"published rows: expected {TEST_NAMES} and {EVAL_MODES}, got {test_name!r} and {eval_mode!r}")
    tables = published_tables()
    if eval_mode == "image":
        rows = {metric: tables["table2_image_based"][test_name][metric][auditor] for metric in METRICS}
    else:
        rows = tables["table3_video_based_mq_auditor"][test_name]
    return {
        metric: {"avg" if key == "avg" else column_name(*key.split("/")): value for key, value in rows[metric].items()}
        for metric in METRICS
    }


def published_rows(test_name: str, eval_mode: str) -> dict[str, dict]:
    """All auditors of the paper's Table 2, or in video mode MQ-Auditor alone: name -> as `published_columns`."""
    if eval_mode != "image":
        return {"MQ-Auditor": published_columns(test_name, eval_mode)}
    names = published_tables()["table2_image_based"][test_name]["rmse"]
    return {name: published_columns(test_name, eval_mode, name) for name in names}


def published_ablation(title: str) -> dict[str, dict]:
    """The paper's rows of an ablation whose title begins with its number, e.g. "Table 9: mask inputs"; else none."""
    name = next((name for number, name in ABLATIONS.items() if title.startswith(f"{number}:")), None)
    return published_tables()[name] if name else {}


def is_published_benchmark(predictions: list[Prediction], eval_mode: str, test_name: str) -> bool:
    """Whether the samples are the paper's: masks per type as in its Table 8, uids as many as references in Table 1."""
    if test_name not in TEST_NAMES or eval_mode not in EVAL_MODES:
        return False
    tables = published_tables()
    expected = {k: n for k, n in tables["table8_masks_per_type"][f"{eval_mode}/{test_name}"].items() if k != "total"}
    uids = {p.uid for p in predictions}
    references = tables["table1_statistics"][eval_mode][test_name]["references"]
    return Counter(p.true.mask_type for p in predictions) == expected and len(uids) == references
