"""Whether a server passes each medium on to the model: servers drop media in silence.

The same question is asked with all media, and with each one announced but left out. A medium that was read changes the
number of prompt tokens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from scripts.answering.answerer import AuditRequest
from scripts.baselines.client import Exchange
from scripts.baselines.question import Asking
from scripts.baselines.verdict import ANSWERS

FEWEST_TOKENS = 4  # that any picture or sound takes; fewer may come from how text is cut into tokens


@dataclass(frozen=True)
class Probe:
    """`tokens`: of the whole question, None if the server does not count. `dropped`: media that made no difference.

    `unknown`: media about which the server's counts say nothing.
    """

    tokens: int | None
    dropped: tuple[str, ...]
    unknown: tuple[str, ...]

    def row(self) -> dict:
        return asdict(self)


Ask = Callable[[AuditRequest, Asking, str], int | None]  # the number of prompt tokens; the text says what is asked


def probe(ask: Ask, request: AuditRequest, asking: Asking) -> Probe:
    """Ask about one mask, with and without each medium. Raises ValueError if the server does not answer."""
    whole = ask(request, asking, "all media")
    dropped, unknown = [], []
    for medium in asking.media:
        less = ask(request, replace(asking, muted=(medium,)), f"all media but {medium}")
        if whole is None or less is None:
            unknown.append(medium)
        elif whole - less < FEWEST_TOKENS:
            dropped.append(medium)
    return Probe(whole, tuple(dropped), tuple(unknown))


def prompt_tokens(exchange: Exchange, what: str) -> int | None:
    """Of the reply to a probe. Raises ValueError for an error."""
    if exchange.verdict.kind not in ANSWERS:
        raise ValueError(f"the server does not answer a question with {what}: {exchange.verdict.sentence}")
    return exchange.verdict.usage.input
