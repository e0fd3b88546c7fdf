"""Whether a clip is like those that an auditor was trained on, by the features of its frozen vision encoder.

A clip is the mean of its frames' features. Its distance is Mahalanobis' from the training clips: a covariance of few
clips is drawn towards a multiple of the identity (Ledoit and Wolf 2004, "A well-conditioned estimator for
large-dimensional covariance matrices"). It is given in parts of the largest distance among training clips that the
statistics were not made from: above 1, a clip is unlike all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LEAST_CLIPS = 8
_HELD_OUT = 4  # every fourth clip is left out of the statistics and sets the limit


@dataclass(frozen=True)
class KnownClips:
    """Statistics of training clips: mean (E,), inverse covariance (E, E), both float32, and the largest distance of
    clips that are not in them. clips: how many there were.
    """

    mean: np.ndarray
    precision: np.ndarray
    limit: float
    clips: int

    @classmethod
    def of(cls, features: np.ndarray) -> KnownClips | None:
        """Of clips (n, E), in any order that is fixed; None for fewer than LEAST_CLIPS."""
        if len(features) < LEAST_CLIPS:
            return None
        features = np.asarray(features, dtype=np.float64)
        is_held_out = np.arange(len(features)) % _HELD_OUT == _HELD_OUT - 1
        mean, precision = features[~is_held_out].mean(0), np.linalg.inv(shrunk_covariance(features[~is_held_out]))
        limit = _distances(features[is_held_out], mean, precision).max()
        return cls(mean.astype(np.float32), precision.astype(np.float32), float(limit), len(features))

    def distances(self, features: np.ndarray) -> np.ndarray:
        """(n,) distances of clips (n, E), in parts of the limit. Raises ValueError for another width."""
        features = np.asarray(features, dtype=np.float64)
        if features.shape[1:] != self.mean.shape:
            got = f"{features.shape[1:]} values for each clip"
            raise ValueError(f"known clips: expected {self.mean.shape}, as in training, got {got}")
        return _distances(features, self.mean, self.precision) / self.limit


def is_unlike(distance: float | None) -> bool:
    """Whether a clip of this distance is flagged."""
    return distance is not None and distance > 1


def shrunk_covariance(features: np.ndarray) -> np.ndarray:
    """(n, E) -> (E, E), drawn towards a multiple of the identity as much as few clips ask for."""
    count, width = features.shape
    centred = features - features.mean(0)
    covariance = centred.T @ centred / count
    scale = np.trace(covariance) / width
    spread = ((covariance - scale * np.eye(width)) ** 2).sum()
    squares = (centred**2).sum(1)
    noise = ((squares**2).sum() / count - (covariance**2).sum()) / count  # how far each clip's square is from the mean
    part = float(np.clip(noise / spread, 0, 1)) if spread > 0 else 1.0
    shrunk = part * scale * np.eye(width) + (1 - part) * covariance
    return shrunk + 1e-8 * max(scale, 1e-8) * np.eye(width)  # clips that are all alike still have an inverse


def _distances(features: np.ndarray, mean: np.ndarray, precision: np.ndarray) -> np.ndarray:
    away = features - mean
    return np.sqrt(np.maximum(np.einsum("ne,ef,nf->n", away, precision, away), 0.0))
