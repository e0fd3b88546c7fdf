"""Answers made without looking at the mask, or from the answers of others: rows to compare with."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence

from utils.audit import Audit
from utils.prediction import Prediction
from utils.scores.baselines import answered, baseline_answers
from utils.scores.counts import mean

ALWAYS_PERFECT, ALWAYS_WRONG, AREA_ALONE = "always perfect", "always full_neg", "mask area alone"
NUM_BINS = 10


def fixed_rows(predictions: Sequence[Prediction]) -> dict[str, list[Prediction]]:
    """Rows that need no training data."""
    answers = {ALWAYS_PERFECT: Audit("perfect", 1.0, "accept"), ALWAYS_WRONG: Audit("full_neg", 0.0, "reject")}
    return {name: answered(predictions, [audit] * len(predictions)) for name, audit in answers.items()}


def trained_rows(predictions: Sequence[Prediction], train: Sequence[Audit], seed: int) -> dict[str, list[Prediction]]:
    """class priors and mean IoU, from the audits of training masks."""
    rows = baseline_answers(train, len(predictions), seed)
    return {name: answered(predictions, audits) for name, audits in rows.items() if name != ALWAYS_PERFECT}


def area_row(
    predictions: Sequence[Prediction], areas: Sequence[float], train: Sequence[tuple[float, Audit]]
) -> list[Prediction]:
    """Answers from the share of the frame that the mask covers: what training masks of about that share are.

    `areas`: of the predictions' masks. `train`: share and audit of each training mask. Bins hold equally many of them;
    a bin's answer is its mean IoU and its most frequent type and action.
    """
    known = sorted((pair for pair in train if pair[1].iou is not None), key=lambda pair: pair[0])
    size = max(1, -(-len(known) // NUM_BINS))
    bins = [known[start : start + size] for start in range(0, len(known), size)]
    edges = [own[0][0] for own in bins[1:]]
    answers = [_typical([audit for _, audit in own]) for own in bins]
    return answered(predictions, [answers[bisect_right(edges, area)] for area in areas])


def ensemble(runs: Mapping[str, Sequence[Prediction]]) -> list[Prediction]:
    """The mean of the IoUs that are said, and the type and action that most say; the first run decides a tie."""
    masks = list(zip(*runs.values(), strict=True))
    return answered([own[0] for own in masks], [_typical([p.said for p in own]) for own in masks])


def _typical(audits: Sequence[Audit]) -> Audit:
    iou = mean(audit.iou for audit in audits)
    return Audit(_most(a.mask_type for a in audits), iou, _most(a.action for a in audits))


def _most(labels) -> str | None:
    """The most frequent label, of equally frequent ones the first; None only if nothing else is there."""
    counts = Counter(label for label in labels if label is not None)
    return counts.most_common(1)[0][0] if counts else None
