"""Where an answer could have gone another way."""

from __future__ import annotations

from collections.abc import Sequence


def forks(answer: Sequence[int], others: Sequence[Sequence[int]]) -> list[int]:
    """The places of an answer's tokens at which one of the others, the same up to there, goes on in another way."""
    found = set()
    for other in others:
        same = next((i for i, (own, its) in enumerate(zip(answer, other, strict=False)) if own != its), None)
        if same is not None:
            found.add(same)
    return sorted(found)
