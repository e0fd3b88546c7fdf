"""Records about a mask that was there before: batches that were padded, or runs that were written to one file."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from posixpath import normpath

import numpy as np

PLACE = ("uid", "frame_idx")
TRUTH = ("rank", "mask_type")  # a benchmark may list one file twice, with two truths
ANSWER = ("raw_output", "iou_to_gt", "action")  # what is said of it


class Repeats:
    """Takes records (`utils.records`) one by one, 24 bytes each, and then tells which masks came again.

    Only records with a mask_path say which mask they are about; others are never repeats.
    """

    def __init__(self):
        self.masks, self.answers, self.likely = array("q"), array("q"), array("q")

    def add(self, record: dict) -> None:
        number, path = len(self.masks), record.get("mask_path")
        place, truth, answer = (tuple(map(record.get, keys)) for keys in (PLACE, TRUTH, ANSWER))
        if path is not None:
            path = normpath(path) if "./" in path or "//" in path else path
            likely = hash((place, path))
        else:
            likely = number if None in place else hash((place, truth, answer))
        self.masks.append(number if path is None else hash((place, path, truth)))
        self.answers.append(hash(answer))
        self.likely.append(likely)

    def find(self) -> dict[int, int]:
        """Number of a record, from 0 -> that of the first record about the same mask."""
        return dict(sorted(_again(self.masks)))

    def doubtful(self, found: dict[int, int]) -> dict[int, int]:
        """As `found`, but for records that are no repeats by name.

        They name an earlier mask with another truth, or name no mask and say exactly what an earlier one says.
        """
        return {number: first for number, first in sorted(_again(self.likely)) if number not in found}

    def are_copies(self, one: int, other: int) -> bool:
        """Whether two records about a mask say the same."""
        return self.answers[one] == self.answers[other]


def _again(keys: array) -> Iterator[tuple[int, int]]:
    """(number of a record, number of the first one with the same key)."""
    values = np.frombuffer(keys, np.int64) if keys else np.empty(0, np.int64)
    order = np.argsort(values, kind="stable")
    places = np.flatnonzero(np.diff(values[order]) == 0) + 1
    first: dict[int, int] = {}
    for place in places.tolist():
        number, earlier = int(order[place]), int(order[place - 1])
        first[number] = first.get(earlier, earlier)
        yield number, first[number]
