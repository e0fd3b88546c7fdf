"""Probabilities of a few tokens in every place where a model chose its next token."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import LogitsProcessor


def probabilities_of(watched: Tensor, logits: Tensor) -> Tensor:
    """Logits (n, V) -> the probabilities (n, W) of the `watched` tokens (W,), float32, in main memory."""
    if not len(watched):
        return torch.empty(len(logits), 0)
    logits = logits.float()
    return (logits[:, watched] - logits.logsumexp(-1, keepdim=True)).exp().cpu()


class Watch(LogitsProcessor):
    """Keeps these probabilities while `generate` writes answers, and changes nothing."""

    def __init__(self, watched: Sequence[int], device: torch.device):
        self.watched = torch.tensor(watched, dtype=torch.long, device=device)
        self.seen: list[Tensor] = []  # for each step (B, W)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        self.seen.append(probabilities_of(self.watched, scores))
        return scores

    def of_answer(self, number: int, length: int) -> Tensor:
        """(length, W) of one answer of the batch."""
        return torch.stack([step[number] for step in self.seen[:length]])
