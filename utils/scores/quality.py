"""What stands beside an auditor's scores: what could be read, at which level, and whether an audit fits together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from utils.audit import Audit
from utils.prediction import Prediction
from utils.reading.reply import FIELDS, LEVELS, read_reply
from utils.scores.counts import mean, rmse

# The prompt's label rule: action -> the IoUs that it is for; a range without an action is nobody's contradiction.
BANDS = {"accept": (1.0, 1.0), "minor revision": (0.85, 1.0), "major revision": (0.75, 0.90), "reject": (0.0, 0.75)}


def reading_levels(predictions: Sequence[Prediction], reader: str) -> dict[str, dict[str, float]]:
    """{field: {level or "unreadable": share of the masks}}."""
    levels = [read_reply(p.raw_output, reader).levels for p in predictions]
    total = max(1, len(levels))
    counts = {name: Counter(own[name] or "unreadable" for own in levels) for name in FIELDS}
    return {name: {level: counts[name][level] / total for level in (*LEVELS, "unreadable")} for name in FIELDS}


def iou_quality(predictions: Sequence[Prediction]) -> dict[str, float | None]:
    """Over the masks whose IoU is said: their share, RMSE, mean absolute error, rank correlation (Spearman)."""
    pairs = [(p.said.iou, p.true.iou) for p in predictions if p.said.iou is not None and p.true.iou is not None]
    return {
        "share": len(pairs) / len(predictions) if predictions else None,
        "rmse": rmse(pairs) if pairs else None,
        "mae": mean(abs(said - true) for said, true in pairs),
        "rank_correlation": _rank_correlation(pairs),
    }


def contradictions(predictions: Sequence[Prediction]) -> float | None:
    """The share of whole audits whose IoU, type and action cannot be true together by the prompt's label rule."""
    whole = [p.said for p in predictions if None not in (p.said.iou, p.said.mask_type, p.said.action)]
    return sum(map(_contradicts, whole)) / len(whole) if whole else None


def _contradicts(audit: Audit) -> bool:
    if audit.action in BANDS:
        low, high = BANDS[audit.action]
        if not low <= audit.iou <= high:
            return True
    if audit.mask_type in ("perfect", "full_neg"):
        return audit.action != ("accept" if audit.mask_type == "perfect" else "reject")
    return audit.action == "accept"


def _rank_correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    ranks = pd.DataFrame(pairs, columns=["said", "true"]).rank()
    if len(ranks) < 2 or (ranks.std() == 0).any():
        return None
    return float(np.corrcoef(ranks["said"], ranks["true"])[0, 1])
