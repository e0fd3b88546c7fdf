"""Shares of an answer -> what the auditor holds likely of the mask: types, actions, and a distribution of the IoU.

The IoU is a mixture. The form that was written stands with the probabilities of its digits; each other form stands with
the IoUs that masks of its kind have in the benchmark (`IOU_RANGES`), or in the audits that a scaling was fitted on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from utils.audit import ACTIONS
from utils.certainty.shares import FORMS, Shares
from utils.mask_types import PAPER_TYPES

# The IoU of a mask of each form (paper, Sec. 3.2: hard and medium masks; the actions of merge masks).
IOU_RANGES = {
    ("perfect", "accept"): (1.0, 1.0),
    ("full_neg", "reject"): (0.0, 0.0),
    ("cutout", "minor revision"): (0.85, 0.90),
    ("cutout", "major revision"): (0.75, 0.80),
    ("dilate", "minor revision"): (0.85, 0.90),
    ("dilate", "major revision"): (0.75, 0.80),
    ("erode", "minor revision"): (0.85, 0.90),
    ("erode", "major revision"): (0.75, 0.80),
    ("merge", "minor revision"): (0.90, 1.00),
    ("merge", "major revision"): (0.75, 0.90),
    ("merge", "reject"): (0.0, 0.75),
}
INTERVAL = 0.9  # the probability that the IoU's interval holds
BANDS = 20  # of the IoU, 0.05 wide, where a few are enough
_BINS = 1000  # of the IoU's distribution, from 0 to 1


@dataclass(frozen=True)
class Scaling:
    """How probabilities are corrected, from audits whose truth is known: temperatures of forms, tags and digits.

    A temperature over 1 makes an auditor that is too sure less sure. types: logarithms of how much likelier each of
    PAPER_TYPES is than the auditor thinks, because it was trained on other shares of types. The default changes
    nothing.
    """

    forms: float = 1.0
    tags: float = 1.0
    digits: float = 1.0
    types: tuple[float, ...] = (0.0,) * len(PAPER_TYPES)


@dataclass(frozen=True)
class Belief:
    """What an auditor holds likely of one mask.

    types, actions: label -> probability; what is lacking to 1 is `no_type` and `no_action`. iou: the expected IoU,
    with the interval that holds it with probability INTERVAL; None without digits. entropy: of the types, in bits.
    """

    types: dict[str, float]
    actions: dict[str, float]
    iou: float | None
    interval: tuple[float, float] | None
    iou_shares: np.ndarray | None = field(repr=False, compare=False)  # (1000,) probability of each thousandth

    @property
    def no_type(self) -> float:
        return max(0.0, 1.0 - sum(self.types.values()))

    @property
    def no_action(self) -> float:
        return max(0.0, 1.0 - sum(self.actions.values()))

    @property
    def entropy(self) -> float:
        return -sum(p * math.log2(p) for p in self.types.values() if p > 0)

    @property
    def likeliest_type(self) -> str | None:
        """None where every type has probability 0. It need not be the type that was written: words are written one by
        one, and a calibration weighs types."""
        likeliest = max(self.types, key=self.types.get)
        return likeliest if self.types[likeliest] > 0 else None

    @property
    def certainty(self) -> float:
        """The probability of the likeliest type."""
        return max(self.types.values())

    def bands(self) -> np.ndarray:
        """(BANDS,) the probability of each band of the IoU. Raises ValueError where there is no IoU."""
        if self.iou_shares is None:
            raise ValueError("belief: expected an IoU written in digits, got none")
        return self.iou_shares.reshape(BANDS, -1).sum(1)

    def probability_below(self, iou: float) -> float:
        """That the IoU is under this value. Raises ValueError where there is no IoU."""
        if self.iou_shares is None:
            raise ValueError("belief: expected an IoU written in digits, got none")
        return float(self.iou_shares[: round(iou * _BINS)].sum())

    def as_record(self) -> dict:
        """For a JSON file."""
        return {
            "types": {name: round(p, 4) for name, p in self.types.items()},
            "actions": {name: round(p, 4) for name, p in self.actions.items()},
            "no_type": round(self.no_type, 4),
            "no_action": round(self.no_action, 4),
            "iou": None if self.iou is None else round(self.iou, 4),
            "interval": self.interval and [round(end, 4) for end in self.interval],
            "entropy": round(self.entropy, 4),
        }


def belief_of(shares: Shares, scaling: Scaling | None = None) -> Belief:
    """The belief behind one answer; probabilities are corrected by `scaling` first."""
    scaling = scaling or Scaling()
    forms = corrected_forms(by_type(shares)[None], scaling.forms, scaling.types)[0]
    own = max(0.0, 1.0 - forms.sum())  # of other wordings
    if shares.form is not None:
        own, forms[shares.form] = forms[shares.form], 0.0
    types = dict.fromkeys(PAPER_TYPES, 0.0)
    actions = dict.fromkeys(ACTIONS, 0.0)
    for (mask_type, action), chance in zip(FORMS, forms, strict=True):
        types[mask_type] += float(chance)
        actions[action] += float(chance)
    for labels, chances in ((types, shares.types), (actions, shares.actions)):
        for name, chance in zip(labels, _tempered(np.array(chances), scaling.tags), strict=True):
            labels[name] += float(own * chance)
    iou_shares = _iou_shares(shares, own, forms, scaling.digits)
    if iou_shares is None:
        return Belief(types, actions, None, None, None)
    middles = (np.arange(_BINS) + 0.5) / _BINS
    return Belief(types, actions, float(iou_shares @ middles), _interval(iou_shares), iou_shares)


def in_words(belief: Belief) -> str:
    """E.g. "merge 91%, perfect 8%; IoU 0.21 to 0.43 (expected 0.31)"."""
    likeliest = sorted(belief.types.items(), key=lambda item: -item[1])[:2]
    types = ", ".join(f"{name} {chance:.0%}" for name, chance in likeliest if chance >= 0.005) or "no known type"
    if belief.iou is None:
        return types
    low, high = belief.interval
    return f"{types}; IoU {low:.2f} to {high:.2f} (expected {belief.iou:.2f})"


def by_type(shares: Shares) -> np.ndarray:
    """(11,) shares of the forms, where those that were left early are no longer divided evenly.

    A form with another action that was left before its type was said has the type as likely as the forms with the
    written action have it: how badly a mask is damaged says nothing of how.
    """
    forms = np.array(shares.forms)
    if shares.form is None:
        return forms
    written_type, written_action = FORMS[shares.form]
    own = {mask_type: forms[n] for n, (mask_type, action) in enumerate(FORMS) if action == written_action}
    tied: dict[tuple, list[int]] = {}
    for number, (_, action) in enumerate(FORMS):
        if action != written_action:
            tied.setdefault((action, round(float(forms[number]), 4)), []).append(number)
    divided = forms.copy()
    for members in tied.values():
        weights = np.array([own.get(FORMS[n][0], 0.0) for n in members])
        if len(members) > 1 and written_type in (FORMS[n][0] for n in members) and weights.sum() > 0:
            divided[members] = forms[members].sum() * weights / weights.sum()
    return divided


def corrected_forms(forms: np.ndarray, temperature: float, types: Sequence[float]) -> np.ndarray:
    """(n, 11) shares to the power of 1 / temperature, weighted by type, together with what each row lacks to 1."""
    rest = np.maximum(0.0, 1.0 - forms.sum(1, keepdims=True))
    weights = np.exp([types[PAPER_TYPES.index(mask_type)] for mask_type, _ in FORMS])
    whole = np.hstack([forms ** (1.0 / temperature) * weights, rest ** (1.0 / temperature)])
    return (whole / np.maximum(whole.sum(1, keepdims=True), 1e-12))[:, :-1]


def _tempered(chances: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities (n,) to the power of 1 / temperature, together with what they lack to 1."""
    whole = np.append(chances, max(0.0, 1.0 - chances.sum())) ** (1.0 / temperature)
    return (whole / whole.sum())[:-1]


def _iou_shares(shares: Shares, own: float, others: np.ndarray, temperature: float) -> np.ndarray | None:
    """The mixture of the answer that was written and of the `others` (11,): (1000,) probabilities with sum 1."""
    if not shares.digits or own + others.sum() == 0:
        return None
    mixture = own * _digit_shares(shares, temperature)
    for form, chance in zip(FORMS, others, strict=True):
        mixture += chance * _even_shares(*IOU_RANGES[form])
    return mixture / mixture.sum()


def _digit_shares(shares: Shares, temperature: float) -> np.ndarray:
    """What the digits say: a digit that was not written stands for all numbers that begin with it, evenly."""
    rows = [_tempered(np.array(row), temperature) for row in shares.digits]
    zero, one = rows[0][:2] / max(rows[0][:2].sum(), 1e-12)  # before the point
    found = np.zeros(_BINS)
    found[-1] = one
    if shares.written[0] != "0":
        return found + zero * _even_shares(0.0, 1.0)
    mass, start, width = zero, 0, _BINS
    for digit, row in zip(map(int, shares.written[1:4]), rows[1:4], strict=True):
        width //= 10
        row = row / max(row.sum(), 1e-12)
        tenths = np.repeat(row * mass / width, width)
        tenths[digit * width : (digit + 1) * width] = 0.0
        found[start : start + 10 * width] += tenths
        mass, start = mass * row[digit], start + digit * width
    found[start : start + width] += mass / width
    return found


def _even_shares(low: float, high: float) -> np.ndarray:
    """The same probability for every IoU from `low` to `high`."""
    found = np.zeros(_BINS)
    start = min(round(low * _BINS), _BINS - 1)
    found[start : max(round(high * _BINS), start + 1)] = 1.0
    return found / found.sum()


def _interval(iou_shares: np.ndarray) -> tuple[float, float]:
    """The middle part that holds INTERVAL of the probability."""
    sums = iou_shares.cumsum()
    low = int(np.searchsorted(sums, (1.0 - INTERVAL) / 2))
    high = int(np.searchsorted(sums, (1.0 + INTERVAL) / 2))
    return low / _BINS, min(high + 1, _BINS) / _BINS
