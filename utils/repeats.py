"""Records about a mask that was there before: batches that were padded, or runs that were written to one file."""

from __future__ import annotations

import unicodedata
from array import array
from collections.abc import Iterator
from functools import lru_cache
from posixpath import normpath

import numpy as np

from utils.audit import canonical_mask_type


class Repeats:
    """Takes records (`utils.records`) one by one, 32 bytes each, and then tells which masks came again.

    Only records with a mask_path say which mask they are about; others are never repeats. A benchmark may list one file
    twice, with two truths (rank, mask_type): these are two masks. How paths, types and numbers are spelled does not
    matter. `start`: for a later part of a file; more than there are records before it.
    """

    def __init__(self, start: int = 0):
        self.start = start
        self.masks, self.answers, self.likely, self.moved = array("q"), array("q"), array("q"), array("q")

    def add(self, record: dict) -> None:
        get, number = record.get, self.start + len(self.masks)
        path, text = get("mask_path"), get("raw_output")
        is_placed, place, truth = _place_and_truth(get("uid"), get("frame_idx"), get("mask_type"), get("rank"))
        answer = hash((text and text.strip(), get("iou_to_gt"), _folded(get("action"))))
        if path is None:
            mask = moved = number
            likely = hash((truth, answer)) if is_placed else number
        else:
            path = _spelled(path)
            mask, likely = hash((truth, path)), hash((place, path))
            moved = hash((truth, path[path.rfind("/") + 1 :].lower())) if is_placed else number
        self.masks.append(mask)
        self.answers.append(answer)
        self.likely.append(likely)
        self.moved.append(moved)

    def extend(self, later: Repeats) -> None:
        """Add the records of a later part. Hashes differ from run to run, so only a fork may have taken them."""
        self.masks.extend(later.masks)
        self.answers.extend(later.answers)
        self.likely.extend(later.likely)
        self.moved.extend(later.moved)

    def find(self) -> dict[int, int]:
        """Number of a record, from 0 -> that of the first record about the same mask."""
        return dict(sorted(_again(self.masks)))

    def doubtful(self, found: dict[int, int]) -> dict[int, int]:
        """As `found`, but for records that are no repeats by name.

        They name an earlier mask with another truth, or one of its name in another folder, or name no mask and say
        exactly what an earlier one says.
        """
        again = dict(_again(self.moved)) | dict(_again(self.likely))
        return {number: first for number, first in sorted(again.items()) if number not in found}

    def are_copies(self, one: int, other: int) -> bool:
        """Whether two records about a mask say the same."""
        return self.answers[one] == self.answers[other]


@lru_cache(1024)
def _place_and_truth(
    uid: int | str | None, frame: int | str | None, mask_type: str | None, rank: float | None
) -> tuple[bool, int, int]:
    """Whether the place is known, and hashes of the place and of place and truth. 3, "3" and "03" are one frame."""
    texts = (value if value is None else str(value).strip() for value in (uid, frame))
    place = tuple(text.lstrip("0") or "0" if text and text.isdigit() else text for text in texts)
    return None not in place, hash(place), hash((place, canonical_mask_type(mask_type), rank))


@lru_cache(256)
def _folded(text: str | None) -> str | None:
    return text and text.strip().casefold()


def _spelled(path: str) -> str:
    """The path in one spelling."""
    if not path.isascii():
        path = unicodedata.normalize("NFC", path)
    if "\\" in path:
        path = path.replace("\\", "/")
    path = path.strip()
    return normpath(path) if "./" in path or "//" in path else path


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
