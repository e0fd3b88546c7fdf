"""How well masks of a video fit the truth: J (IoU), F (the F-measure of Ref-AVS) and S (masks of what is not there).

T frames of H x W pixels. These are the published formulas; which size, threshold and average they are used with is
decided in `protocols`.
"""

from __future__ import annotations

import numpy as np

NUM_THRESHOLDS, BETA_SQUARED = 255, 0.3
_NO_DIVISION_BY_ZERO = 1e-7


def region_ious(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(T, H, W) bool, twice -> J of each frame, (T,).

    Where the truth is empty, J is the share of pixels that are left free. So a small wrong mask still gets nearly 1.
    """
    check_same_size(predicted, truth)
    inside = (predicted & truth).sum((1, 2)) / ((predicted | truth).sum((1, 2)) + _NO_DIVISION_BY_ZERO)
    free = (~predicted & ~truth).sum((1, 2)) / (truth[0].size + _NO_DIVISION_BY_ZERO) if len(truth) else inside
    return np.where(truth.any((1, 2)), inside, free)


def f_measure(soft: np.ndarray, truth: np.ndarray) -> float:
    """Soft masks (T, H, W) float32 in [0, 1] and truth (T, H, W) bool -> F of the best of 255 thresholds.

    The best threshold is chosen with the truth, one for all frames. At threshold 0 everything is inside, so F is never
    0 for an object that is there. Frames with an empty truth are left out; 0.0 if none is left.
    """
    check_same_size(soft, truth)
    curves = [f_curve(own, true) for own, true in zip(soft, truth, strict=True) if true.any()]
    return float(np.mean(curves, axis=0).max()) if curves else 0.0


def f_curve(soft: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """One frame, (H, W) -> F at each of the 255 thresholds."""
    reached = np.searchsorted(thresholds(), soft.ravel().astype(np.float32), side="right")  # how many each pixel passes
    inside = _at_least(reached)
    hits = _at_least(reached[truth.ravel()])
    return f_score(hits, inside, truth.sum())


def f_score(hits: np.ndarray | float, predicted: np.ndarray | float, true: np.ndarray | float) -> np.ndarray:
    """Numbers of pixels -> F; 0 where nothing is hit."""
    precision, recall = hits / (predicted + 1e-20), hits / (true + 1e-20)
    below = BETA_SQUARED * precision + recall
    return np.divide((1 + BETA_SQUARED) * precision * recall, below, out=np.zeros_like(below), where=below > 0)


def null_share(predicted: np.ndarray) -> float:
    """S: the root of the share of pixels that are inside, for a reference to nothing. The best value is 0."""
    return float(np.sqrt(predicted.mean()))


def thresholds() -> np.ndarray:
    """(255,) float32 from 0 to 1 in even steps, rounded as torch.linspace rounds them: from both ends inwards."""
    step, places = np.float32(1) / np.float32(NUM_THRESHOLDS - 1), np.arange(NUM_THRESHOLDS)
    from_below, from_above = step * places.astype(np.float32), 1 - np.float64(step) * (NUM_THRESHOLDS - 1 - places)
    return np.where(places < NUM_THRESHOLDS // 2, from_below, from_above).astype(np.float32)


def check_same_size(predicted: np.ndarray, truth: np.ndarray) -> None:
    """Raises ValueError for masks that are no stack, or that have another size than the truth."""
    if predicted.ndim != 3 or predicted.shape != truth.shape:
        raise ValueError(f"masks: expected (frames, height, width) = {truth.shape} as the truth, got {predicted.shape}")


def _at_least(reached: np.ndarray) -> np.ndarray:
    """How many pixels pass each threshold, from how many thresholds each pixel passes."""
    counts = np.bincount(reached, minlength=NUM_THRESHOLDS + 1)
    return counts[::-1].cumsum()[::-1][1:].astype(np.float64)
