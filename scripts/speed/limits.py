"""The shortest possible time of an audit on a machine: what a mask needs, over the speed of products and memory."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from scripts.speed.steering import FREE

SIDES = {"cpu": 2048, "cuda": 8192}  # of the square matrices whose product is timed
TRIES = 5


@dataclass(frozen=True)
class Machine:
    """Measured: `flops` of matrix products and `bytes` moved, each per second."""

    flops: float
    bytes: float


def measure_machine(device: torch.device, dtype: torch.dtype) -> Machine:
    """The best of a few tries of a large product and of a large copy."""
    side = SIDES[device.type]
    left, right = torch.randn(2, side, side, device=device).to(dtype)
    product = _best(lambda: left @ right, device)
    copy = _best(lambda: left.copy_(right), device)
    return Machine(2 * side**3 / product, 2 * left.numel() * left.element_size() / copy)


def _best(work, device: torch.device) -> float:
    seconds = []
    for _ in range(TRIES):
        start = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def flops_of(module: nn.Module, *inputs) -> int:
    """Floating-point operations of one forward pass (products and attention), as PyTorch counts them."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        module(*inputs)
    return counter.get_total_flops()


@dataclass(frozen=True)
class Need:
    """What a batch of masks needs if nothing is computed twice."""

    encoder_flops: float  # of all distinct images and clips
    prompt_tokens: int  # read once each
    answer_tokens: int  # of all masks
    passes: int  # of the LLM, one after the other: one for each free token, one for each run of fixed tokens
    language_flops: float  # per token
    language_bytes: float  # of its weights

    def seconds(self, machine: Machine) -> float:
        """The least time for the batch."""
        reading = (self.encoder_flops + self.prompt_tokens * self.language_flops) / machine.flops
        products = self.answer_tokens * self.language_flops / machine.flops
        return reading + max(products, self.passes * self.language_bytes / machine.bytes)


def passes_of(script: list[int]) -> int:
    """The passes of an answer: one for each free token, one for each run of fixed tokens."""
    return sum(token == FREE or i == 0 or script[i - 1] == FREE for i, token in enumerate(script))
