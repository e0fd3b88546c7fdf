"""Linear models that are solved at once, without steps of a gradient: logistic and least squares."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

NEWTON_STEPS = 9
RIDGE = 1e-4
LEAST_CURVATURE = 1e-4


@dataclass(frozen=True)
class Linear:
    """`weight` (outputs, width) and `bias` (outputs,), float64."""

    weight: Tensor
    bias: Tensor

    def __call__(self, values: Tensor) -> Tensor:
        return values.double() @ self.weight.T + self.bias


def solve_logistic(values: Tensor, truth: Tensor) -> Linear:
    """(N, width), (N, outputs) of 0 and 1 -> logits of each output by itself; Newton's method with a small ridge."""
    values, mean, spread = values.double(), values.double().mean(0), values.double().std(0)
    inputs = _with_ones((values - mean) / spread)
    ridge = RIDGE * len(inputs) * torch.eye(inputs.shape[1], dtype=torch.double)
    ridge[-1, -1] = 0
    solved = []
    for wanted in truth.double().T:
        weight = torch.zeros(inputs.shape[1], dtype=torch.double)
        for _ in range(NEWTON_STEPS):
            chance = (inputs @ weight).sigmoid()
            curvature = (chance * (1 - chance)).clamp(min=LEAST_CURVATURE)
            slope = inputs.T @ (chance - wanted) + ridge @ weight
            weight = weight - torch.linalg.solve(inputs.T @ (curvature[:, None] * inputs) + ridge, slope)
        solved.append(weight)
    weights = torch.stack(solved)
    scaled = weights[:, :-1] / spread
    return Linear(scaled, weights[:, -1] - scaled @ mean)


def solve_least_squares(values: Tensor, wanted: Tensor, rank: int) -> tuple[Linear, Tensor]:
    """(N, width), (N, outputs) -> a linear model of `rank` numbers, and what makes outputs of them and of a 1:
    (outputs, rank + 1).

    The numbers are those that explain most of what the whole linear model predicts.
    """
    inputs, wanted = _with_ones(values.double()), wanted.double()
    ridge = RIDGE * len(inputs) * torch.eye(inputs.shape[1], dtype=torch.double)
    solved = torch.linalg.solve(inputs.T @ inputs + ridge, inputs.T @ wanted)  # (width + 1, outputs)
    _, directions = torch.linalg.eigh(torch.cov((inputs @ solved).T))
    kept = directions[:, -rank:]
    mean = (inputs @ solved).mean(0)
    rest = mean - kept @ (kept.T @ mean)  # what does not vary: told by none of the numbers
    numbers = Linear((solved[:-1] @ kept).T, solved[-1] @ kept)
    return numbers, torch.cat([kept, rest[:, None]], 1)


def _with_ones(values: Tensor) -> Tensor:
    return torch.cat([values, torch.ones_like(values[:, :1])], 1)
