"""Records about a mask that was there before: batches that were padded, or runs that were written to one file."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from posixpath import normpath

import numpy as np


class Repeats:
    """Takes records (`utils.records`) one by one, 24 bytes each, and then tells which masks came again.

    Only records with a mask_path say which mask they are about; others are never repeats. A benchmark may list one file
    twice, with two truths (rank, mask_type): these are two masks.
    """

    def __init__(self):
        self.masks, self.answers, self.likely = array("q"), array("q"), array("q")

    def add(self, record: dict) -> None:
        get, number = record.get, len(self.masks)
        path, place, truth = get("mask_path"), (get("uid"), get("frame_idx")), (get("rank"), get("mask_type"))
        answer = get("raw_output"), get("iou_to_gt"), get("action")
        if path is None:
            mask, likely = number, number if None in place else hash((place, truth, answer))
        else:
            path = normpath(path) if "./" in path or "//" in path else path
            mask, likely = hash((place, path, truth)), hash((place, path))
        self.masks.append(mask)
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
