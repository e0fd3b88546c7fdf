"""How fast a server is asked: waiting between tries, limits for a minute, and how many requests are under way."""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0


@dataclass(frozen=True)
class Clock:
    """Time, sleep and chance, so that tests need not wait. `now` counts seconds; `chance` is in [0, 1)."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random
    wall: Callable[[], float] = time.time


def backoff(failures: int, clock: Clock) -> float:
    """Seconds to wait after so many failed tries: full jitter, doubling to LONGEST_WAIT."""
    return clock.chance() * min(LONGEST_WAIT, FIRST_WAIT * 2 ** (failures - 1))


def asked_wait(headers: dict[str, str], wall: float) -> float | None:
    """Seconds that a reply asks to wait: Retry-After as a number or a date, or retry-after-ms; None if it does not."""
    for name, unit in (("retry-after-ms", 1000), ("retry-after", 1)):
        value = headers.get(name, "").strip()
        try:
            return max(0.0, float(value) / unit)
        except ValueError:
            pass
    try:
        due = parsedate_to_datetime(headers["retry-after"]).timestamp()
        server_time = parsedate_to_datetime(headers["date"]).timestamp() if "date" in headers else wall
    except (KeyError, ValueError, TypeError):
        return None
    return max(0.0, due - server_time)


class PerMinute:
    """At most `most` units in any 60 seconds; 0: no limit."""

    def __init__(self, most: int, clock: Clock):
        self.most, self.clock = most, clock
        self.lock = threading.Lock()
        self.spent: deque[list[float]] = deque()  # [time, amount], of the last minute

    def take(self, amount: float) -> list[float]:
        """Wait until there is room for `amount`, and take it. An amount beyond the limit waits for an empty minute."""
        while True:
            with self.lock:
                now = self.clock.now()
                while self.spent and self.spent[0][0] <= now - 60:
                    self.spent.popleft()
                used = sum(amount for _, amount in self.spent)
                if not self.most or not self.spent or used + amount <= self.most:
                    entry = [now, amount]
                    self.spent.append(entry)
                    return entry
                wait = self.spent[0][0] + 60 - now
            self.clock.sleep(max(wait, 0.01))

    def correct(self, entry: list[float], amount: float) -> None:
        """What was taken was in fact `amount`."""
        with self.lock:
            entry[1] = amount


class Lanes:
    """How many requests are under way: at most `most`, half after a 429, one more after a round that went well."""

    def __init__(self, most: int, clock: Clock):
        self.most = self.limit = most
        self.busy = self.well = self.round = 0
        self.closed_until = 0.0
        self.clock = clock
        self.changed = threading.Condition()

    @contextmanager
    def lane(self) -> Iterator[int]:
        """Wait for a lane; gives the number of the round, for `slow_down`."""
        with self.changed:
            self.changed.wait_for(lambda: self.busy < self.limit)
            self.busy += 1
            current = self.round
        try:
            wait = self.closed_until - self.clock.now()
            if wait > 0:
                self.clock.sleep(wait)
            yield current
        finally:
            with self.changed:
                self.busy -= 1
                self.changed.notify_all()

    def slow_down(self, of_round: int, wait: float) -> None:
        """After a 429: half as many lanes, once for all requests of a round, and none for `wait` seconds."""
        with self.changed:
            self.closed_until = max(self.closed_until, self.clock.now() + wait)
            if of_round == self.round:
                self.limit, self.well, self.round = max(1, self.limit // 2), 0, self.round + 1

    def went_well(self) -> None:
        """After a reply: one more lane when as many went well as there are lanes."""
        with self.changed:
            self.well += 1
            if self.well >= self.limit < self.most:
                self.limit, self.well = self.limit + 1, 0
                self.changed.notify_all()
