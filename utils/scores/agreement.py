"""How far two runs on the same masks agree, e.g. one in bfloat16 and one in float32."""

from __future__ import annotations

from operator import attrgetter

from utils.prediction import Prediction
from utils.scores.columns import METRICS

# The fields that identify a mask: key in a predictions file -> how to read it.
IDENTITY = {
    "uid": attrgetter("uid"),
    "vid": attrgetter("vid"),
    "frame_idx": attrgetter("frame_idx"),
    "mask_path": attrgetter("mask_path"),
    "gt_mask_type": attrgetter("true.mask_type"),
    "gt_iou": attrgetter("true.iou"),
}
# What may differ between two answers, in the order in which it is shown.
ANSWERS = {
    "audits": attrgetter("said"),
    "texts": attrgetter("raw_output"),
    "iou": attrgetter("said.iou"),
    "mask_type": attrgetter("said.mask_type"),
    "action": attrgetter("said.action"),
}


def compare_runs(predictions: list[Prediction], others: list[Prediction], summary: dict, other_summary: dict) -> dict:
    """Shares of masks (in [0, 1]) whose answers differ, and the other run's scores subtracted from the first one's.

    `audits`: any of the three parsed values differs; `texts`: the raw answers do. Scores are as in the two summaries.
    Raises ValueError if the runs are not on the same masks in the same order, as far as both files identify them.
    """
    if len(predictions) != len(others):
        raise ValueError(f"--against: expected {len(predictions)} records, got {len(others)}")
    for number, (own, other) in enumerate(zip(predictions, others, strict=True), start=1):
        for field, value in IDENTITY.items():
            known = value(own), value(other)
            if None not in known and known[0] != known[1]:
                raise ValueError(f"--against: expected {field} {known[0]!r} in record {number}, got {known[1]!r}")
    other_scores = _scores(other_summary)
    return {
        "samples": len(predictions),
        "share_that_differs": {name: _share(predictions, others, part) for name, part in ANSWERS.items()},
        "score_minus_other": {
            name: None if None in (score, other_scores[name]) else score - other_scores[name]
            for name, score in _scores(summary).items()
        },
    }


def _share(predictions: list[Prediction], others: list[Prediction], part: attrgetter) -> float | None:
    differ = [part(own) != part(other) for own, other in zip(predictions, others, strict=True)]
    return sum(differ) / len(differ) if differ else None


def _scores(summary: dict) -> dict[str, float | None]:
    scores = {
        "rmse": summary["rmse"],
        "macro F2 mask type": summary["mask_macro"]["f2"],
        "macro F2 action": summary["action_macro"]["f2"],
    }
    columns = summary.get("columns")
    return scores | {f"mean of columns {name}": columns[name]["avg"] for name in METRICS if columns}


def render_agreement(agreement: dict) -> str:
    """Two lines for the terminal."""
    shares = (f"{name} {share:.2%}" for name, share in agreement["share_that_differs"].items() if share is not None)
    scores = (f"{name} {value:+.4f}" for name, value in agreement["score_minus_other"].items() if value is not None)
    return f"differing answers: {', '.join(shares)}\nscores minus the other run's: {', '.join(scores)}"
