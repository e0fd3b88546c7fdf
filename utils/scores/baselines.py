"""Baselines: answers that depend on the training split only, never on the mask that is audited."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from utils.audit import Audit
from utils.prediction import Prediction

MEAN_IOU, ALWAYS_PERFECT, CLASS_PRIORS = "mean IoU", "always perfect", "class priors"


def baseline_answers(train: Sequence[Audit], count: int, seed: int = 0) -> dict[str, list[Audit]]:
    """{baseline: `count` audits}, from the audits of the training masks.

    always perfect: IoU 1, accept. class priors: type, action and IoU of a training mask drawn at random. mean IoU: the
    mean IoU of training, no type, no action. Raises ValueError without training masks of known IoU.
    """
    known = [audit for audit in train if audit.iou is not None]
    if not known:
        raise ValueError("baselines: expected training masks of known IoU, got none")
    rng = random.Random(seed)
    mean = sum(audit.iou for audit in known) / len(known)
    answers: dict[str, Callable[[], Audit]] = {
        ALWAYS_PERFECT: lambda: Audit("perfect", 1.0, "accept"),
        CLASS_PRIORS: lambda: rng.choice(known),
        MEAN_IOU: lambda: Audit(None, mean, None),
    }
    return {name: [answer() for _ in range(count)] for name, answer in answers.items()}


def answered(predictions: Sequence[Prediction], audits: Sequence[Audit]) -> list[Prediction]:
    """Predictions with other answers in place of their own."""
    return [replace(p, said=audit) for p, audit in zip(predictions, audits, strict=True)]
