"""Tokens and prices: an estimate before the first question, what has been paid, and the limit."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.baselines.question import Part, Picture, Sound, Video
from scripts.baselines.verdict import Usage
from utils.yaml_files import read_yaml

MILLION = 1_000_000
# Rough, on the safe side for the services that were looked at; the probe's own count replaces them.
CHARACTERS_A_TOKEN, TOKENS_A_PICTURE, TOKENS_A_SECOND = 3.5, 1120, 32
EXPECTED_ANSWER = 250


@dataclass(frozen=True)
class Prices:
    """USD for a million tokens. Thinking is paid as output."""

    input: float
    output: float
    cached_input: float | None = None
    audio_input: float | None = None

    def of(self, usage: Usage) -> float:
        """USD for one reply; tokens that the server does not count cost nothing."""
        total, cached, sound = usage.input or 0, usage.cached or 0, usage.sound or 0
        cached_price = self.input if self.cached_input is None else self.cached_input
        sound_price = self.input if self.audio_input is None else self.audio_input
        plain = max(0, total - cached - sound)
        paid = plain * self.input + cached * cached_price + sound * sound_price + (usage.output or 0) * self.output
        return paid / MILLION


def read_prices(path: str | None, model: str) -> Prices | None:
    """The model's line of a price table; None without a table. Raises ValueError for one that has no such line."""
    if path is None:
        return None
    if not Path(path).is_file():
        raise ValueError(f"--prices {path}: expected a YAML file, got no such file")
    table = read_yaml(path, "--prices")
    try:
        return Prices(**{name: float(value) for name, value in table[model].items()})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        expected = f"expected the line {model}: {{input: USD, output: USD}}"
        raise ValueError(f"--prices {path}: {expected}, got none that can be used ({error})") from None


def rough_tokens(parts: Sequence[Part]) -> int:
    """About how many tokens a question has."""
    total = 0.0
    for part in parts:
        if isinstance(part, str):
            total += len(part) / CHARACTERS_A_TOKEN
        elif isinstance(part, Sound):
            total += part.seconds * TOKENS_A_SECOND
        else:
            total += TOKENS_A_PICTURE * (len(part.frames) if isinstance(part, Video) else isinstance(part, Picture))
    return round(total)


def estimate_line(masks: int, tokens_in: int, most_out: int, prices: Prices | None) -> str:
    """One line: tokens and price of so many masks, with answers as long as expected and as long as allowed."""
    line = f"{masks} masks to ask about, about {masks * tokens_in:,} tokens in and {masks * EXPECTED_ANSWER:,} out"
    if prices is None:
        return line + " (no --prices: price unknown)"
    low, high = (masks * prices.of(Usage(tokens_in, out)) for out in (min(EXPECTED_ANSWER, most_out), most_out))
    return line + f", {low:.2f} USD; at most {high:.2f} USD with the longest answers"


class Purse:
    """What has been paid, and whether one more request may be paid. Used by several threads."""

    def __init__(self, prices: Prices | None, most: float | None, paid: float = 0.0):
        self.prices, self.most, self.paid = prices, most, paid
        self.promised = 0.0
        self.lock = threading.Lock()

    def promise(self, worst: Usage) -> float | None:
        """The worst price of a request that may be sent; None if it might go beyond the limit."""
        price = self.prices.of(worst) if self.prices else 0.0
        with self.lock:
            if self.most is not None and self.paid + self.promised + price > self.most:
                return None
            self.promised += price
            return price

    def settle(self, promised: float, usage: Usage | None) -> float:
        """The request is over: what it has cost in fact. `usage`: None if nothing came."""
        price = self.prices.of(usage) if self.prices and usage else 0.0
        with self.lock:
            self.promised -= promised
            self.paid += price
        return price
