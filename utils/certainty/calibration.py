"""Corrects an auditor that is too sure, or not sure enough: temperatures fitted on audits whose truth is known.

The audits must be of videos that are neither trained on nor scored. (Guo et al. 2017, "On Calibration of Modern Neural
Networks": one temperature for each kind of probability, by likelihood.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from utils.certainty.belief import BANDS, Belief, Scaling, belief_of, by_type, corrected_forms
from utils.certainty.shares import FORMS, Shares
from utils.mask_types import PAPER_TYPES

TEMPERATURES = tuple(np.geomspace(0.25, 8.0, 61).tolist())  # 1 is among them but for rounding
LEAST_AUDITS = 50
_ROUNDS = 50  # of fitting weights of types
_FLOOR = 1e-4  # no probability counts as less


def fit_scaling(shares: Sequence[Shares], forms: Sequence[tuple[str, str]], ious: Sequence[float]) -> Scaling:
    """The temperatures and weights of types under which the true forms (mask type, action) and IoUs are likeliest.

    Raises ValueError for fewer than LEAST_AUDITS audits, or for a true form that has no wording.
    """
    if len(shares) < LEAST_AUDITS:
        raise ValueError(f"calibration: expected at least {LEAST_AUDITS} audits with probabilities, got {len(shares)}")
    if unknown := sorted({str(form) for form in forms if form not in FORMS}):
        raise ValueError(
            f"calibration: expected mask types with an action that has a wording, got {', '.join(unknown)}"
        )
    truth = np.array([FORMS.index(form) for form in forms])
    chances = np.array([by_type(one) for one in shares])
    weights = {t: _type_weights(chances, truth, t) for t in TEMPERATURES}
    of_forms = _best(lambda t: _surprise(corrected_forms(chances, t, weights[t])[np.arange(len(truth)), truth]))
    of_types = weights[of_forms]
    bands = [iou_band(iou) for iou in ious]

    def digits_surprise(temperature: float) -> float:
        beliefs = [belief_of(one, Scaling(of_forms, digits=temperature, types=of_types)) for one in shares]
        known = [(belief, band) for belief, band in zip(beliefs, bands, strict=True) if belief.iou_shares is not None]
        return _surprise(np.array([_of_band(belief, band) for belief, band in known]))

    return Scaling(of_forms, digits=_best(digits_surprise, TEMPERATURES[::3]), types=of_types)


def iou_band(iou: float) -> int:
    """The number of the band, of `Belief.bands`, that an IoU lies in; 1 lies in the last one."""
    return min(int(iou * BANDS), BANDS - 1)


def reliability(chances: np.ndarray, right: np.ndarray, bins: int = 10) -> list[dict]:
    """For audits (n,) of probability `chances` that are `right` or not: count, mean probability and share of right
    ones in each tenth of probability that holds any."""
    rows = []
    places = np.minimum((chances * bins).astype(int), bins - 1)
    for place in sorted(set(places.tolist())):
        members = places == place
        rows.append(
            {
                "count": int(members.sum()),
                "probability": float(chances[members].mean()),
                "right": float(right[members].mean()),
            }
        )
    return rows


def calibration_error(rows: Sequence[dict]) -> float:
    """Expected calibration error: how far probability and share of right ones lie apart, on average over audits."""
    total = sum(row["count"] for row in rows)
    return sum(row["count"] * abs(row["probability"] - row["right"]) for row in rows) / total


def _best(surprise: Callable[[float], float], temperatures: Sequence[float] = TEMPERATURES) -> float:
    return float(min(temperatures, key=surprise))


def _surprise(chances: np.ndarray) -> float:
    """Mean negative log-likelihood; nan where nothing is known."""
    return float(-np.log(np.maximum(chances, _FLOOR)).mean())


def _type_weights(chances: np.ndarray, truth: np.ndarray, temperature: float) -> tuple[float, ...]:
    """Weights (logarithms) with which each type is as frequent on average as it is true, for shares (n, 11).

    They are those of the highest likelihood (generalised iterative scaling); one audit more of each type keeps them
    finite.
    """
    of_type = np.array([[mask_type == name for name in PAPER_TYPES] for mask_type, _ in FORMS], dtype=float)
    counts = np.bincount(truth, minlength=len(FORMS)) @ of_type
    weights = np.zeros(len(PAPER_TYPES))
    for _ in range(_ROUNDS):
        found = corrected_forms(chances, temperature, weights).sum(0) @ of_type
        weights += np.log((counts + 1) / (found + 1))
    return tuple(weights.tolist())


def _of_band(belief: Belief, band: int) -> float:
    return float(belief.bands()[band])
