"""How well an auditor's probabilities and expected IoUs hold, on audits whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scripts.certainty.audits import KnownAudit
from utils.certainty.belief import Belief, Scaling, belief_of
from utils.certainty.calibration import calibration_error, iou_band, reliability
from utils.certainty.risk import risk_coverage, share_of_errors

NAMES = ("type", "action", "IoU band")


@dataclass(frozen=True)
class Measured:
    """`rows`: for each of NAMES the reliability. `coverage`: name of an order -> (shares looked at, errors left)."""

    record: dict
    rows: dict[str, list[dict]]
    coverage: dict[str, tuple[np.ndarray, np.ndarray]]


def measure(audits: Sequence[KnownAudit], scaling: Scaling | None = None) -> Measured:
    """The figures of these audits with probabilities corrected by `scaling`."""
    beliefs = [belief_of(audit.shares, scaling) for audit in audits]
    rows = {name: reliability(*_sure_and_right(name, beliefs, audits)) for name in NAMES}
    wrong_type = [audit.said_type != audit.form[0] for audit in audits]
    pairs = zip(beliefs, audits, strict=True)
    unsure = np.array([1 - belief.types.get(audit.said_type, 0.0) for belief, audit in pairs])
    record = {
        "audits": len(audits),
        "videos": len({audit.vid for audit in audits}),
        "calibration_error": {name: calibration_error(own) if own else None for name, own in rows.items()},
        "type_errors": int(sum(wrong_type)),
        "type_errors_in_least_certain_20%": share_of_errors(unsure, wrong_type),
    }
    expected, written, coverage = _ious(beliefs, audits, unsure)
    return Measured(record | {"rmse_written": written, "rmse_expected": expected, **coverage[1]}, rows, coverage[0])


def _sure_and_right(
    name: str, beliefs: Sequence[Belief], audits: Sequence[KnownAudit]
) -> tuple[np.ndarray, np.ndarray]:
    """(n,) probability of the likeliest label, and whether it is right; without audits that have no IoU."""
    pairs = []
    for belief, audit in zip(beliefs, audits, strict=True):
        if name == "IoU band":
            if belief.iou_shares is None:
                continue
            chances, truth = belief.bands(), iou_band(audit.iou)
            best = int(chances.argmax())
            pairs.append((float(chances[best]), best == truth))
        else:
            labels, truth = (belief.types, audit.form[0]) if name == "type" else (belief.actions, audit.form[1])
            best = max(labels, key=labels.get)
            pairs.append((labels[best], best == truth))
    return np.array([chance for chance, _ in pairs]), np.array([right for _, right in pairs], dtype=bool)


def _ious(beliefs: Sequence[Belief], audits: Sequence[KnownAudit], unsure: np.ndarray) -> tuple:
    """RMSE of expected and written IoU where both are known, and how much error is left when people look."""
    known = [
        (belief.iou, audit.written, audit.iou, one)
        for belief, audit, one in zip(beliefs, audits, unsure, strict=True)
        if belief.iou is not None and audit.written is not None
    ]
    if not known:
        return None, None, ({}, {})
    expected, written, true, own = np.array(known).T
    error = np.abs(expected - true)
    looked, left, area = risk_coverage(own, error)
    _, best, best_area = risk_coverage(error, error)
    curves = {
        "least certain first": (looked, left),
        "random order": (looked, error.mean() * (1 - looked)),
        "largest error first": (looked, best),
    }
    areas = {"coverage_area": {"least certain": area, "random": float(error.mean() / 2), "largest error": best_area}}
    return _rmse(expected, true), _rmse(written, true), (curves, areas)


def _rmse(said: np.ndarray, true: np.ndarray) -> float:
    return float(((said - true) ** 2).mean() ** 0.5)
