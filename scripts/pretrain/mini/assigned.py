"""Which query token of a projector shows which thing of a picture: the assignment with the smallest error."""

from __future__ import annotations

from functools import lru_cache
from itertools import permutations

import torch
from torch import Tensor

MOST_THINGS = 4  # of a scene


@lru_cache
def _ways(num_tokens: int) -> Tensor:
    """(ways, 4): all ways to give four things a token each."""
    return torch.tensor(list(permutations(range(num_tokens), MOST_THINGS)))


def assign(tokens: Tensor, wanted: Tensor, present: Tensor) -> Tensor:
    """(M, Q, D) tokens of M pictures, (M, 4, D) what each thing's token should be, (M, 4) bool -> (M, 4) tokens.

    A token that shows nothing should be zero. Places of things that are not present are filled with other tokens.
    """
    ways = _ways(tokens.shape[1])
    # Squared error of a token as a thing's, less its error as one that shows nothing: (M, 4, Q)
    costs = wanted.square().sum(-1)[:, :, None] - 2 * wanted @ tokens.transpose(1, 2)
    costs = costs * present[:, :, None]
    total = sum(costs[:, thing].index_select(1, ways[:, thing]) for thing in range(MOST_THINGS))  # (M, ways)
    return ways[total.argmin(1)]


def errors(tokens: Tensor, wanted: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
    """Mean squared errors of the tokens that show a thing and of the others, each (), under the best assignment."""
    with torch.no_grad():
        chosen = assign(tokens, wanted, present)
    own = tokens.gather(1, chosen[..., None].expand(-1, -1, tokens.shape[-1]))  # (M, 4, D)
    shows = torch.zeros(tokens.shape[:2], dtype=torch.bool).scatter(1, chosen, present)
    return (own - wanted)[present].square().mean(), tokens[~shows].square().mean()
