"""Audit requests and whoever answers them: a tensor auditor, another multimodal LLM, or a service behind an API.

Imports no model: a run of audits knows nothing else of one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from dataset.benchmark.samples import AuditSample, Candidate

logger = logging.getLogger(__name__)
FIRST_SIZE, LARGEST_SIZE = 16, 256  # requests in a batch, if its size is chosen by the answerer


@dataclass(frozen=True)
class AuditRequest:
    """One mask of a sample to be audited. Nothing that is true of the mask is told to the model."""

    sample: AuditSample
    candidate: Candidate


@dataclass(frozen=True)
class Reply:
    """The answer to one request: its text, and its token ids where they are known.

    shares: the record of `utils.certainty.shares.Shares`, where the probabilities of the model's tokens are known.
    clip_distance: how far the clip is from those of training (`utils.certainty.known_clips`), where these are known.
    """

    text: str
    generated_ids: list[int] | None = None
    shares: dict | None = None
    clip_distance: float | None = None


class OutOfMemory(ValueError):
    """So many requests do not fit into memory together."""


class Answerer(Protocol):
    """Answers audit requests. `answer` is all that it must have."""

    def answer(self, requests: Sequence[AuditRequest]) -> list[Reply]:
        """One reply for each request, in order. Raises OutOfMemory if fewer requests might be answered together."""
        ...

    def look_ahead(self, batches: Iterable[list[AuditRequest]]) -> Iterable[list[AuditRequest]]:
        """The same batches in the same order; `answer` is called with each one right after it was given out.

        An answerer may take several batches from `batches` in advance, to read the media of later requests while it
        answers earlier ones.
        """
        return batches

    def fitting(self, most: int) -> int:
        """How many requests, at most `most`, to ask together next."""
        return most


class ResizableBatches:
    """Consecutive requests in batches; `size` may be changed while they are iterated over."""

    def __init__(self, requests: Sequence[AuditRequest], size: int):
        self.requests, self.size = requests, size

    def __iter__(self) -> Iterator[list[AuditRequest]]:
        end = 0
        while end < len(self.requests):
            start, end = end, end + self.size
            yield list(self.requests[start:end])


def answer_all(
    answerer: Answerer, requests: Sequence[AuditRequest], batch_size: int = 0
) -> Iterator[tuple[list[AuditRequest], list[Reply]]]:
    """Ask in batches: the requests of each batch and the replies to them, in order.

    `batch_size`: requests in a batch, at most; 0 leaves it to the answerer. A batch that does not fit into memory is
    asked in halves. Raises OutOfMemory if one request alone does not fit.
    """
    batches = ResizableBatches(requests, batch_size or FIRST_SIZE)
    halving = _Halving(answerer)
    for batch in answerer.look_ahead(batches):
        yield batch, halving.answer(batch)
        if not batch_size or halving.was_needed:
            batches.size = answerer.fitting(batch_size or LARGEST_SIZE)


class _Halving:
    """Asks for the halves of a batch where the whole one does not fit into memory."""

    def __init__(self, answerer: Answerer):
        self.answerer = answerer
        self.was_needed = False

    def answer(self, requests: list[AuditRequest]) -> list[Reply]:
        try:
            return self.answerer.answer(requests)
        except OutOfMemory:
            if len(requests) == 1:
                raise
            self.was_needed = True
        half = len(requests) // 2
        logger.warning("%d masks do not fit into memory together: going on with half as many", len(requests))
        return self.answer(requests[:half]) + self.answer(requests[half:])
