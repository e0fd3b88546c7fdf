"""Asks a server until there is an answer or no hope of one."""

from __future__ import annotations

import logging
import threading
from dataclasses import asdict, dataclass, field

from scripts.baselines.costs import Purse
from scripts.baselines.pacing import Clock, Lanes, PerMinute, asked_wait, backoff
from scripts.baselines.transport import NoReply, Received, Transport
from scripts.baselines.verdict import ANSWERS, EMPTY, FAILED, FATAL, TRANSIENT, Usage, Verdict, judge

logger = logging.getLogger("baseline")
TRIES_OF_EMPTY = 3  # each one may be paid
KEPT_OF_A_FAULT = 20_000  # characters of a body


class Stopped(ValueError):
    """No further mask is asked about; the message says why."""


@dataclass(frozen=True)
class Patience:
    """Tries and seconds for one question, and after how many equal failures in a row nothing is asked any more."""

    most_tries: int = 8
    most_seconds: float = 900.0
    same_errors: int = 5


@dataclass
class Exchange:
    """All that one question has brought: the verdict, the last raw body, and the faults before it."""

    verdict: Verdict
    raw: str = ""
    seconds: float = 0.0  # of the last try alone
    price: float = 0.0  # USD, of all tries
    tries: int = 0
    faults: list[dict] = field(default_factory=list)

    def row(self) -> dict:
        """As it is kept on disk."""
        said = self.verdict
        row = {"outcome": said.kind, "text": said.text, "thinking": said.thinking, "model": said.model}
        row |= {"error": said.sentence or None, "usage": asdict(said.usage), "seconds": round(self.seconds, 3)}
        return row | {"price": self.price, "tries": self.tries, "faults": self.faults, "raw": self.raw}


class ChatClient:
    """Asks one server, from several threads. `tokens`: about how many a question has, until replies tell."""

    def __init__(
        self, transport: Transport, lanes: Lanes, requests: PerMinute, tokens: PerMinute, purse: Purse,
        patience: Patience, clock: Clock, most_out: int, tokens_in: int,
    ):  # fmt: skip
        self.transport, self.lanes, self.purse, self.patience, self.clock = transport, lanes, purse, patience, clock
        self.requests, self.tokens = requests, tokens
        self.worst = Usage(tokens_in, most_out)
        self.stopped: str | None = None
        self.lock = threading.Lock()
        self.last_error, self.equal_errors = "", 0

    def ask(self, body: bytes) -> Exchange:
        """Raises Stopped for errors that every mask would meet, for too many equal ones, and at the limit of costs."""
        exchange = Exchange(Verdict(FAILED))
        begin = self.clock.now()
        while True:
            wait = self._try(body, exchange)
            exchange.tries += 1
            verdict = exchange.verdict
            if verdict.kind == FATAL:
                self._stop(verdict.sentence)
            if verdict.kind not in (TRANSIENT, EMPTY):
                break
            asked = wait
            wait = backoff(exchange.tries, self.clock) if asked is None else asked + self.clock.chance()
            late = self.clock.now() + wait - begin > self.patience.most_seconds
            most_tries = (
                min(TRIES_OF_EMPTY, self.patience.most_tries) if verdict.kind == EMPTY else self.patience.most_tries
            )
            if exchange.tries >= most_tries or late:
                break
            exchange.faults.append(_fault(exchange))
            self.clock.sleep(wait)
        self._count(exchange.verdict)
        return exchange

    def _try(self, body: bytes, exchange: Exchange) -> float | None:
        """One request; its result goes into `exchange`. Gives the seconds that the server wants to be left alone."""
        with self.lanes.lane() as current:
            if self.stopped:
                raise Stopped(self.stopped)
            promised = self.purse.promise(self.worst)
            if promised is None:
                self._stop(f"--max_cost {self.purse.most:g} USD is reached: {self.purse.paid:.4f} USD are paid")
            usage = None
            try:
                self.requests.take(1)
                taken = self.tokens.take((self.worst.input or 0) + (self.worst.output or 0))
                received = self._post(body, exchange)
                usage = exchange.verdict.usage if received else None
                if usage and usage.input is not None:
                    self.tokens.correct(taken, usage.input + (usage.output or 0))
            finally:
                exchange.price += self.purse.settle(promised, usage)
            wait = asked_wait(received.headers, self.clock.wall()) if received else None
            if received and received.status == 429:
                self.lanes.slow_down(current, wait or 0.0)
            elif exchange.verdict.kind in ANSWERS:
                self.lanes.went_well()
            return wait

    def _post(self, body: bytes, exchange: Exchange) -> Received | None:
        start = self.clock.now()
        try:
            received = self.transport.post(body)
            exchange.raw, exchange.verdict = received.body.decode("utf-8", "replace"), judge(received)
        except NoReply as error:
            received = None
            exchange.raw, exchange.verdict = "", Verdict(TRANSIENT, sentence=str(error))
        exchange.seconds = self.clock.now() - start
        return received

    def _count(self, verdict: Verdict) -> None:
        """Stop after too many masks in a row that have failed in the same way."""
        with self.lock:
            if verdict.kind in ANSWERS:
                self.last_error, self.equal_errors = "", 0
                return
            same = verdict.sentence == self.last_error
            self.last_error, self.equal_errors = verdict.sentence, self.equal_errors + 1 if same else 1
            too_many = self.equal_errors >= self.patience.same_errors
        if too_many:
            self._stop(f"{self.equal_errors} masks in a row have failed with the same error: {verdict.sentence}")

    def _stop(self, why: str) -> None:
        self.stopped = f"{self.transport.host}: {why}"
        raise Stopped(self.stopped)


def _fault(exchange: Exchange) -> dict:
    said = exchange.verdict
    row = {"error": said.sentence or said.kind, "seconds": round(exchange.seconds, 3), "usage": asdict(said.usage)}
    return row | {"raw": exchange.raw[:KEPT_OF_A_FAULT]}
