"""A bias on the logits that makes untrained weights write audits, the same for every way that is measured.

The tokens of a template answer get a bias that is larger than any logit. In the template's free slots, the names of
objects and the digits of the IoU, the weights choose among all tokens except the end.
"""

from __future__ import annotations

import torch
from torch import Tensor
from transformers import LogitsProcessor, PreTrainedTokenizerBase

from dataset.text.prompt import encode_text
from utils.audit import all_wordings

BIAS = 1e4
TARGET, NEGATIVE, NUMBER = "red striped wheel on the left", "small blue plain star on the right", "0.5000"
FREE = -1  # a slot


def scripted_answers(tokenizer: PreTrainedTokenizerBase, eos: int) -> list[list[int]]:
    """The tokens of every template, FREE in its slots, then the end."""
    answers = []
    for text in all_wordings(TARGET, NEGATIVE):
        ids = encode_text(tokenizer, text)
        for slot in (TARGET, NEGATIVE, NUMBER):
            inner = encode_text(tokenizer, slot)[1:]  # how a name begins depends on what stands before it
            for start in range(len(ids) - len(inner) + 1):
                if ids[start : start + len(inner)] == inner:
                    ids[start : start + len(inner)] = [FREE] * len(inner)
        answers.append([*ids, eos])
    return answers


class Steering:
    """`answers[n]` is the answer that the mask with number n + 1 is made to write."""

    def __init__(self, answers: list[list[int]]):
        self.answers, self.eos = answers, answers[0][-1]

    def __call__(self, logits: Tensor, whose: list[tuple[int, int]]) -> Tensor:
        """(n, V) logits and for each (number of the mask, number of the token) -> the same with the bias, float32."""
        wanted = [self.answers[owner - 1][min(at, len(self.answers[owner - 1]) - 1)] for owner, at in whose]
        logits = logits.float().clone()
        told = [row for row, token in enumerate(wanted) if token != FREE]
        logits[told, [wanted[row] for row in told]] += BIAS
        logits[[row for row, token in enumerate(wanted) if token == FREE], self.eos] -= BIAS
        return logits


class SteeringProcessor(LogitsProcessor):
    """The same for transformers' `generate`; the rows of its batch are the masks from number `first` on."""

    def __init__(self, steering: Steering, first: int = 1):
        self.steering, self.first = steering, first

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        return self.steering(scores, [(self.first + row, input_ids.shape[1]) for row in range(len(scores))])
