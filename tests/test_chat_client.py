"""The client of a server of other auditors: every fault of a server, limits, costs, what is kept; the key is hidden."""

import json
import threading
from dataclasses import replace
from email.utils import formatdate

import pytest

from configs.baselines import BaselineArguments, LocalArguments, ServerArguments
from scripts.baselines.ask_split import ask_split
from scripts.baselines.client import ChatClient, Patience, Stopped
from scripts.baselines.costs import Prices, Purse
from scripts.baselines.kept import KeptReplies, read_rows
from scripts.baselines.pacing import Clock, Lanes, PerMinute, asked_wait, backoff
from scripts.baselines.transport import Transport
from scripts.baselines.verdict import Usage
from tests.conftest import BENCHMARK
from tests.fake_server import AUDIT, KEY, completion, serving


class FakeTime:
    """A clock that only sleeping moves; it remembers how long each sleep was."""

    def __init__(self):
        self.time, self.slept = 1000.0, []
        self.clock = Clock(lambda: self.time, self.sleep, lambda: 0.5, lambda: 1_800_000_000.0)

    def sleep(self, seconds: float):
        self.slept.append(seconds)
        self.time += seconds


@pytest.fixture
def fake_time():
    return FakeTime()


def client_of(server, fake_time, *, most=None, prices=None, at_once=1, timeout=20.0, patience=None, key=None, rpm=0):
    clock = fake_time.clock
    limits = PerMinute(rpm, clock), PerMinute(0, clock)
    purse = Purse(prices, most)
    transport = Transport(server.url, key, timeout)
    return ChatClient(transport, Lanes(at_once, clock), *limits, purse, patience or Patience(), clock, 512, 1000)


BODY = json.dumps({"model": "m", "messages": [{"role": "user", "content": "?"}]}).encode()
TRANSIENT = {
    "rate limit": (429, {}, {"error": {"message": "slow down"}}),
    "server error": (500, {}, b"oops"),
    "html": (503, {}, b"<html><body>Unavailable</body></html>"),
    "timeout of the server": (408, {}, b""),
    "conflict": (409, {}, b""),
    "too early": (425, {}, b""),
    "reset": "reset",
    "cut body": "cut",
    "broken json": b'{"choices": [',
    "text": b"hello",
    "list": b"[]",
    "error in a 200": {"error": {"message": "overloaded", "code": 503}},
    "no choices": completion() | {"choices": []},
    "empty": completion(""),
    "null": completion(None),
}


@pytest.mark.parametrize("step", TRANSIENT.values(), ids=TRANSIENT)
def test_what_passes_is_asked_again(step, server, fake_time):
    server.script = [step, step]
    exchange = client_of(server, fake_time).ask(BODY)
    assert exchange.verdict.kind == "answered" and exchange.verdict.text == AUDIT
    assert exchange.tries == len(server.bodies) == 3 and len(exchange.faults) == 2
    assert fake_time.slept == [0.5, 1.0]  # half of 1 s and of 2 s: full jitter with a chance of one half


def test_a_silent_server_is_given_up(server, fake_time):
    server.script = ["slow"]
    exchange = client_of(server, fake_time, timeout=0.2).ask(BODY)
    assert exchange.verdict.kind == "answered" and "no reply within" in exchange.faults[0]["error"]


ANSWERS = {
    "refused": (completion(None, refusal="I cannot judge pictures."), "refused", "I cannot judge pictures."),
    "filtered": (completion("", "content_filter"), "filtered", ""),
    "filtered by status": ((400, {}, {"error": {"message": "no", "code": "content_filter"}}), "filtered", ""),
    "blocked prompt": ({"prompt_feedback": {"block_reason": "SAFETY"}}, "filtered", ""),
    "cut off": (completion("<audit>The mask", "length"), "cut_off", "<audit>The mask"),
    "cut off while thinking": (completion(None, "length", reasoning_content="hm"), "cut_off", ""),
    "list of parts": (completion([{"type": "text", "text": AUDIT}]), "answered", AUDIT),
    "refused in prose": (
        completion("I'm sorry, but I can't assist with that."),
        "refused",
        "I'm sorry, but I can't assist with that.",
    ),
    "answer in the thinking": (completion(None, reasoning=AUDIT), "answered", AUDIT),
}


@pytest.mark.parametrize(("step", "kind", "text"), ANSWERS.values(), ids=ANSWERS)
def test_answers_of_a_kind_of_their_own_are_not_asked_again(step, kind, text, server, fake_time):
    server.script = [step]
    exchange = client_of(server, fake_time).ask(BODY)
    assert (exchange.verdict.kind, exchange.verdict.text, exchange.tries) == (kind, text, 1)


def test_always_empty_is_a_kind_of_its_own_after_three_tries(fake_time):
    with serving(answer=lambda body: completion("")) as server:
        exchange = client_of(server, fake_time).ask(BODY)
        assert (exchange.verdict.kind, exchange.tries) == ("empty", 3)


@pytest.mark.parametrize("status", [400, 413, 422, 302])
def test_what_stays_is_asked_once(status, server, fake_time):
    server.script = [(status, {"Location": "http://127.0.0.1:1/"}, {"error": {"message": "bad part"}})]
    exchange = client_of(server, fake_time).ask(BODY)
    assert exchange.verdict.kind == "failed" and exchange.verdict.sentence == f"{status}: bad part"
    assert exchange.tries == 1


@pytest.mark.parametrize(("headers", "tries"), [({"x-should-retry": "true"}, 2), ({"x-should-retry": "false"}, 1)])
def test_the_server_may_say_whether_to_try_again(headers, tries, server, fake_time):
    server.script = [(400 if tries == 2 else 503, headers, b"")]
    assert client_of(server, fake_time).ask(BODY).tries == tries


@pytest.mark.parametrize("status", [401, 402, 403, 404])
def test_what_every_mask_would_meet_stops_the_run(status, server, fake_time):
    server.script = [(status, {}, {"error": {"message": "no such thing"}})]
    client = client_of(server, fake_time)
    for _ in range(2):
        with pytest.raises(Stopped, match=f"127.0.0.1.*{status}: no such thing"):
            client.ask(BODY)
    assert len(server.bodies) == 1


def test_equal_errors_stop_the_run_and_an_answer_forgives_them(server, fake_time):
    client = client_of(server, fake_time, patience=Patience(most_tries=1, same_errors=2))
    fault = (500, {}, b"audio input is not supported")
    server.script = [fault, completion(), fault, fault]
    assert [client.ask(BODY).verdict.kind for _ in range(3)] == ["transient", "answered", "transient"]
    with pytest.raises(Stopped, match="2 masks in a row .*audio input is not supported"):
        client.ask(BODY)


def test_retry_after(server, fake_time):
    server.script = [(429, {"Retry-After": "7"}, b""), (429, {"Retry-After": "3600"}, b"")]
    exchange = client_of(server, fake_time).ask(BODY)
    assert exchange.verdict.kind == "transient" and exchange.tries == 2  # an hour is more than --most_seconds
    assert fake_time.slept[0] == 7.5


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "2.5"}, 2.5),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after": formatdate(1_800_000_030, usegmt=True)}, 30),
        ({"retry-after": formatdate(99, usegmt=True), "date": formatdate(60, usegmt=True)}, 39),
        ({"retry-after": formatdate(1_700_000_000, usegmt=True)}, 0),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_how_long_a_reply_asks_to_wait(headers, wait):
    assert asked_wait(headers, wall=1_800_000_000.0) == wait


def test_backoff_doubles_to_a_minute(fake_time):
    assert [backoff(n, fake_time.clock) for n in (1, 2, 3, 7, 20)] == [0.5, 1, 2, 30, 30]


def test_tries_and_seconds_have_a_cap(fake_time):
    with serving(answer=lambda body: None) as server:
        server.script = [(503, {}, b"")] * 50
        assert client_of(server, fake_time, patience=Patience(most_tries=4)).ask(BODY).tries == 4
        exchange = client_of(server, fake_time, patience=Patience(most_tries=99, most_seconds=60.0)).ask(BODY)
        assert sum(fake_time.slept[3:]) <= 60 and exchange.tries == 7


def test_no_minute_has_more_than_its_limit(fake_time):
    limit, times = PerMinute(10, fake_time.clock), []
    for _ in range(35):
        limit.take(1)
        times.append(fake_time.time)
    assert all(later - earlier >= 60 for earlier, later in zip(times, times[10:], strict=False))
    tokens = PerMinute(1000, fake_time.clock)
    entry = tokens.take(900)
    tokens.correct(entry, 100)
    before = fake_time.time
    tokens.take(900)
    assert fake_time.time == before  # the first one was cheaper than thought
    tokens.take(5000)
    assert fake_time.time - before == 60


def test_lanes_halve_after_a_429_and_come_back(fake_time):
    lanes = Lanes(8, fake_time.clock)
    with lanes.lane() as first, lanes.lane() as second:
        lanes.slow_down(first, 5.0)
        lanes.slow_down(second, 3.0)  # of the same round: no second halving
    assert lanes.limit == 4
    with lanes.lane() as third:
        lanes.slow_down(third, 0.0)
    assert lanes.limit == 2 and fake_time.slept == [5.0]
    for _ in range(2 + 3 + 4 + 5 + 6 + 7):
        lanes.went_well()
    assert lanes.limit == 8


def test_side_by_side_requests_stay_below_the_limit(fake_time):
    under_way, most, lock = [0], [0], threading.Lock()
    lanes = Lanes(3, fake_time.clock)

    def work():
        with lanes.lane():
            with lock:
                under_way[0] += 1
                most[0] = max(most[0], under_way[0])
            threading.Event().wait(0.01)
            with lock:
                under_way[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(9)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert most[0] == 3


def test_prices():
    prices = Prices(input=0.5, output=3.0, cached_input=0.05, audio_input=1.0)
    usage = Usage(input=10_000, output=1_000, cached=4_000, sound=1_000)
    assert prices.of(usage) == pytest.approx((5_000 * 0.5 + 4_000 * 0.05 + 1_000 * 1.0 + 1_000 * 3.0) / 1e6)
    assert Prices(1.0, 2.0).of(Usage()) == 0


def test_the_limit_of_costs_is_kept(server, fake_time):
    client = client_of(server, fake_time, most=0.01, prices=Prices(1.0, 10.0))  # 0.0006 each, 0.00612 at worst
    with pytest.raises(Stopped, match="--max_cost 0.01 USD is reached"):
        for _ in range(100):
            client.ask(BODY)
    assert client.purse.paid == pytest.approx(0.0006 * len(server.bodies))
    assert client.purse.promised == pytest.approx(0) and len(server.bodies) == 7


def test_the_key_is_hidden_wherever_it_comes_back(server, fake_time, monkeypatch):
    monkeypatch.setenv("FAKE_KEY", KEY)
    server.script = [(500, {}, f"bad key {KEY}".encode()), completion(f"your key is {KEY}")]
    exchange = client_of(server, fake_time, key="FAKE_KEY").ask(BODY)
    assert server.keys == [f"Bearer {KEY}"] * 2
    assert KEY not in json.dumps(exchange.row()) and "your key is [key]" in exchange.verdict.text
    with pytest.raises(ValueError, match="holds the key, got none"):
        Transport(server.url, "NO_SUCH_VARIABLE", 1.0)
    with pytest.raises(ValueError) as caught:
        ServerArguments(server=server.url, key_variable=KEY)
    assert KEY not in str(caught.value)


def test_thinking_counts_as_output(server, fake_time):
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 115}
    server.script = [completion(usage=usage)]
    assert client_of(server, fake_time).ask(BODY).verdict.usage == Usage(10, 105, 100)
    usage = {"prompt_tokens": 10, "completion_tokens": 50, "completion_tokens_details": {"reasoning_tokens": 40}}
    server.script = [completion(usage=usage)]
    assert client_of(server, fake_time).ask(BODY).verdict.usage == Usage(10, 50, 40)


def test_half_a_line_is_passed_over(tmp_path):
    path = tmp_path / "replies.jsonl"
    path.write_bytes(b'{"question": "a", "outcome": "answered", "text": "x", "price": 1.0}\n{"question": "b", "outc')
    kept = KeptReplies(path)
    kept.add({"question": "c", "outcome": "cut_off", "text": "", "price": 0.5})
    kept.add({"question": "d", "outcome": "failed", "text": "", "price": 0.0})
    kept.close()
    assert [row["question"] for row in read_rows(path)] == ["a", "c", "d"]
    assert set(KeptReplies(path).answers) == {"a", "c"} and KeptReplies(path).paid == 1.5
    assert set(KeptReplies(path, ["cut_off"]).answers) == {"a"}


def test_a_server_that_is_not_there(tmp_path, fake_time):
    args = BaselineArguments(model="m", data_dir=str(BENCHMARK), output_dir=str(tmp_path))
    server = ServerArguments(server="http://127.0.0.1:9/v1", most_tries=2)
    with pytest.raises(ValueError, match="does not answer .*no connection"):
        ask_split(args, server, LocalArguments(), replace(fake_time.clock))
