"""Records about a mask that was there before: batches that were padded, or runs that were written to one file."""

from __future__ import annotations

from array import array

import numpy as np

MASK = ("uid", "frame_idx", "mask_path", "rank", "mask_type")  # what names a mask
ANSWER = ("raw_output", "iou_to_gt", "action")  # what is said of it


class Repeats:
    """Takes records (`utils.records`) one by one, 16 bytes each, and then tells which masks came again.

    Only records with a mask_path say which mask they are about; others are never repeats.
    """

    def __init__(self):
        self.masks, self.answers = array("q"), array("q")

    def add(self, record: dict) -> None:
        mask = tuple(map(record.get, MASK)) if record.get("mask_path") is not None else len(self.masks)
        self.masks.append(hash((mask,)))
        self.answers.append(hash(tuple(map(record.get, ANSWER))))

    def find(self) -> dict[int, int]:
        """Number of a record, from 0 -> that of the first record about the same mask."""
        masks = np.frombuffer(self.masks, np.int64) if self.masks else np.empty(0, np.int64)
        order = np.argsort(masks, kind="stable")
        again = np.flatnonzero(np.diff(masks[order]) == 0) + 1
        first: dict[int, int] = {}
        for place in again.tolist():
            earlier = int(order[place - 1])
            first[int(order[place])] = first.get(earlier, earlier)
        return dict(sorted(first.items()))

    def are_copies(self, one: int, other: int) -> bool:
        """Whether two records about a mask say the same."""
        return self.answers[one] == self.answers[other]
