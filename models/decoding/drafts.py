"""Guesses of how an answer goes on, from answers that began alike: the auditor checks them, so none can do harm."""

from __future__ import annotations

from collections.abc import Iterable

SUFFIXES = (6, 3, 1)  # how many last tokens are looked up, the longest that is known first
LONGEST, SHORTEST = 12, 4  # guesses for one answer
ON_CPU_AT_ONCE, ON_GPU_AT_ONCE = 256, 1024  # guesses for all answers together: wrong ones cost time, too


class Drafts:
    """What followed the last tokens of an answer, the latest time that they were seen."""

    def __init__(self, answers: Iterable[list[int]] = (), at_once: int = ON_CPU_AT_ONCE):
        self.at_once = at_once
        self.followers: dict[tuple[int, ...], tuple[list[int], int]] = {}
        for ids in answers:
            self.learn(ids)

    def learn(self, ids: list[int]) -> None:
        """Remember an answer."""
        for end in range(1, len(ids)):
            for size in SUFFIXES:
                if size <= end:
                    self.followers[tuple(ids[end - size : end])] = (ids, end)

    def guess(self, ids: list[int], together: int = 1) -> list[int]:
        """Tokens that may follow `ids`, one of so many answers that are read together: the fewer the more of them."""
        length = min(LONGEST, max(SHORTEST, self.at_once // together))
        for size in SUFFIXES:
            if len(ids) >= size and (found := self.followers.get(tuple(ids[-size:]))):
                answer, start = found
                return answer[start : start + length]
        return []
