"""Predictions as columns: what scores are counted from, fast enough for a million of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from utils.prediction import Prediction


class Labels(NamedTuple):
    """All of a prediction that is counted. Many predictions have the same."""

    true_mask_type: str | None
    said_mask_type: str | None
    true_action: str | None
    said_action: str | None
    rank: float | None


_labels = attrgetter("true.mask_type", "said.mask_type", "true.action", "said.action", "rank")


@dataclass(frozen=True, eq=False)
class Answers:
    """Predictions in their order.

    `labels` and `uids` hold each value once, in order of first appearance. The arrays have an entry for each of the N
    predictions: `kinds` and `videos` (integers) say which labels and which uid it has; `said` and `true` are its IoUs,
    in [0, 1], or None.
    """

    labels: list[Labels]
    uids: list[int | str | None]
    kinds: np.ndarray
    videos: np.ndarray
    said: np.ndarray
    true: np.ndarray

    @classmethod
    def of(cls, predictions: list[Prediction] | Answers) -> Answers:
        """The columns of predictions; columns stay as they are."""
        if isinstance(predictions, Answers):
            return predictions
        labels, kinds = _numbered(map(_labels, predictions))
        uids, videos = _numbered(map(attrgetter("uid"), predictions))
        said, true = (list(map(attrgetter(name), predictions)) for name in ("said.iou", "true.iou"))
        ious = np.array(said, object), np.array(true, object)
        return cls([Labels(*own) for own in labels], uids, kinds, videos, *ious)

    def __len__(self) -> int:
        return len(self.kinds)

    def chosen(self, is_chosen: Callable[[Labels], bool]) -> np.ndarray:
        """Whether the labels of each one are chosen: [N] bool."""
        return np.array(list(map(is_chosen, self.labels)), bool)[self.kinds]

    def where(self, is_chosen: Callable[[Labels], bool]) -> Answers:
        """Those whose labels are chosen."""
        chosen = self.chosen(is_chosen)
        columns = (column[chosen] for column in (self.kinds, self.videos, self.said, self.true))
        return Answers(self.labels, self.uids, *columns)

    def of_type(self, mask_type: str | None) -> Answers:
        """Those of masks of this true type."""
        return self.where(lambda labels: labels.true_mask_type == mask_type)

    def count(self, *names: str) -> Counter:
        """How often these labels occur, in order of first appearance: a Counter of values, or of tuples of them."""
        of_labels, counted = attrgetter(*names), Counter()
        numbers = np.bincount(self.kinds, minlength=len(self.labels)).tolist()
        for labels, number in zip(self.labels, numbers, strict=True):
            if number:
                counted[of_labels(labels)] += number
        return counted

    def by_video(self) -> Iterator[tuple[int | str | None, list[int], list[float | None], list[float | None]]]:
        """(uid, kinds, said IoUs, true IoUs) of each uid, in order of appearance."""
        order = np.argsort(self.videos, kind="stable")
        videos = self.videos[order]
        kinds, said, true = (column[order].tolist() for column in (self.kinds, self.said, self.true))
        starts = [0, *(np.flatnonzero(np.diff(videos)) + 1).tolist(), len(self)] if len(self) else []
        for start, stop in sorted(pairwise(starts), key=lambda span: order[span[0]]):
            yield self.uids[videos[start]], kinds[start:stop], said[start:stop], true[start:stop]


def _numbered(values: Iterable[Hashable]) -> tuple[list, np.ndarray]:
    """The distinct values, and which of them each value is."""
    numbers: dict[Hashable, int] = {}
    places = np.fromiter((numbers.setdefault(value, len(numbers)) for value in values), np.int32)
    return list(numbers), places
