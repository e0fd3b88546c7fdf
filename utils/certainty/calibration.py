"""Corrects an auditor that is too sure, or not sure enough: temperatures fitted on audits whose truth is known.

The audits must be of videos that are neither trained on nor scored. (Guo et al. 2017, "On Calibration of Modern Neural
Networks": one temperature for each kind of probability, by likelihood.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from utils.certainty.belief import Belief, Scaling, belief_of
from utils.certainty.shares import FORMS, Shares

TEMPERATURES = np.geomspace(0.25, 8.0, 61)
LEAST_AUDITS = 50
_BANDS = 20  # of the IoU, 0.05 wide
_FLOOR = 1e-4  # no probability counts as less


def fit_scaling(shares: Sequence[Shares], forms: Sequence[tuple[str, str]], ious: Sequence[float]) -> Scaling:
    """The temperatures under which the true forms (mask type, action) and the true IoUs are likeliest.

    Raises ValueError for fewer than LEAST_AUDITS audits, or for a true form that has no wording.
    """
    if len(shares) < LEAST_AUDITS:
        raise ValueError(f"calibration: expected at least {LEAST_AUDITS} audits with probabilities, got {len(shares)}")
    if unknown := sorted({str(form) for form in forms if form not in FORMS}):
        raise ValueError(
            f"calibration: expected mask types with an action that has a wording, got {', '.join(unknown)}"
        )
    truth = np.array([FORMS.index(form) for form in forms])
    chances = np.array([one.forms for one in shares])
    of_forms = _best(lambda t: _surprise(_tempered_rows(chances, t)[np.arange(len(truth)), truth]))
    bands = np.minimum((np.array(ious) * _BANDS).astype(int), _BANDS - 1)

    def digits_surprise(temperature: float) -> float:
        beliefs = [belief_of(one, Scaling(of_forms, digits=temperature)) for one in shares]
        known = [(belief, band) for belief, band in zip(beliefs, bands, strict=True) if belief.iou_shares is not None]
        return _surprise(np.array([_of_band(belief, band) for belief, band in known]))

    return Scaling(of_forms, digits=_best(digits_surprise, TEMPERATURES[::3]))


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


def _best(surprise: Callable[[float], float], temperatures: np.ndarray = TEMPERATURES) -> float:
    return float(min([*temperatures, 1.0], key=surprise))


def _surprise(chances: np.ndarray) -> float:
    """Mean negative log-likelihood; nan where nothing is known."""
    return float(-np.log(np.maximum(chances, _FLOOR)).mean())


def _tempered_rows(chances: np.ndarray, temperature: float) -> np.ndarray:
    """(n, labels) probabilities to the power of 1 / temperature, together with what each row lacks to 1."""
    rest = np.maximum(0.0, 1.0 - chances.sum(1, keepdims=True))
    whole = np.hstack([chances, rest]) ** (1.0 / temperature)
    return whole / whole.sum(1, keepdims=True)


def _of_band(belief: Belief, band: int) -> float:
    return float(belief.iou_shares.reshape(_BANDS, -1)[band].sum())
