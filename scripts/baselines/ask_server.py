"""A job asked of a server: estimate, probe, limit of costs, then every mask that has no answer yet."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import asdict, replace

from configs.baselines import ServerArguments
from scripts.answering.answerer import AuditRequest
from scripts.answering.audit_loop import audit_all
from scripts.answering.records import record_of
from scripts.baselines.api_answerer import ApiAnswerer
from scripts.baselines.client import ChatClient, Patience
from scripts.baselines.costs import EXPECTED_ANSWER, Prices, Purse, estimate_line, read_prices, rough_tokens
from scripts.baselines.job import Job, Records
from scripts.baselines.kept import PROBED, begin_row
from scripts.baselines.pacing import Clock, Lanes, PerMinute
from scripts.baselines.probe import Probe, probe, prompt_tokens
from scripts.baselines.question import Asking
from scripts.baselines.transport import Transport
from scripts.baselines.verdict import Usage

logger = logging.getLogger("baseline")
PROBE_TOKENS = 16


def ask_server(job: Job, server: ServerArguments, transport: Transport, clock: Clock) -> None:
    """Ask, and finish the job. Raises ValueError as `ask_split`."""
    prices = read_prices(server.prices, job.model)
    asking = job.asking()
    tokens = sum(rough_tokens(turn.parts) for turn in asking.turns(job.requests[0]))
    client = _client(job, server, prices, transport, clock, tokens)
    fields = {"max_tokens": job.args.max_new_tokens} | server.more_fields()
    if server.temperature is not None:
        fields = {"temperature": server.temperature} | fields
    answerer = ApiAnswerer(client, job.kept, asking, job.model, server.video_as, fields, server.at_once)
    missing = answerer.missing(job.requests)
    print(f"{transport.host}: {estimate_line(len(missing), tokens, job.args.max_new_tokens, prices)}")
    if server.estimate_only:
        return
    found = _probed(job, server, answerer, missing) if missing else None
    records = Records()
    audit_all(answerer, job.requests, records, record_of, title=f"asking about {job.args.test_name}")
    if answerer.failed:
        count, (error, times) = sum(answerer.failed.values()), answerer.failed.most_common(1)[0]
        most = f"{count} of {len(job.requests)} masks have no reply ({times} times: {error})"
        raise ValueError(f"{job.folder}: {most}: start again to ask about them, all others are kept")
    models = Counter(row["model"] for row in map(job.kept.answers.get, answerer.questions) if row["model"])
    settings = {"host": transport.host, "probe": found and found.row(), "models_as_answered": dict(models)}
    job.finish(records, answerer.questions, asdict(server) | settings)


def _client(
    job: Job, server: ServerArguments, prices: Prices | None, transport: Transport, clock: Clock, tokens: int
) -> ChatClient:
    return ChatClient(
        transport,
        Lanes(server.at_once, clock),
        PerMinute(server.requests_per_minute, clock),
        PerMinute(server.tokens_per_minute, clock),
        Purse(prices, server.max_cost, job.kept.paid),
        Patience(server.most_tries, server.most_seconds, server.same_errors),
        clock,
        job.args.max_new_tokens,
        tokens,
    )


def _probed(job: Job, server: ServerArguments, answerer: ApiAnswerer, missing: list[AuditRequest]) -> Probe:
    """The probe, and after it the estimate with the server's own count. Raises ValueError as the settings say."""
    client = answerer.client
    found = probe(lambda *asked: _probe_tokens(job, answerer, *asked), job.requests[0], answerer.asking)
    host = client.transport.host
    if found.unknown:
        logger.warning("%s counts no prompt tokens: whether it reads %s is unknown", host, ", ".join(found.unknown))
    if found.dropped:
        said = f"{host} drops {', '.join(found.dropped)}: the number of prompt tokens does not change with it"
        if server.on_dropped_media == "stop":
            raise ValueError(f"{said} (leave it out of --media, or go on with --on_dropped_media mark)")
        logger.warning("%s", said)
    if found.tokens is not None:
        client.worst = replace(client.worst, input=found.tokens)
        print(f"{host}: {estimate_line(len(missing), found.tokens, job.args.max_new_tokens, client.purse.prices)}")
        _check_cost(found.tokens, len(missing), client.purse)
    return found


def _probe_tokens(job: Job, answerer: ApiAnswerer, request: AuditRequest, asking: Asking, what: str) -> int | None:
    """Tokens of a question with a short answer. Its reply is kept, and not asked for again."""
    cap = "max_completion_tokens" if "max_completion_tokens" in answerer.fields else "max_tokens"
    body = answerer.body(request, asking, **{cap: min(PROBE_TOKENS, job.args.max_new_tokens)})
    question = answerer.digest(body)
    if question in job.kept.probes:
        return job.kept.probes[question]["usage"]["input"]
    exchange = answerer.client.ask(body)
    tokens = prompt_tokens(exchange, what)
    job.kept.add(begin_row(question, request) | exchange.row() | {"outcome": PROBED, "probe": what})
    return tokens


def _check_cost(tokens: int, masks: int, purse: Purse) -> None:
    if purse.prices is None or purse.most is None:
        return
    expected = purse.paid + masks * purse.prices.of(Usage(tokens, EXPECTED_ANSWER))
    if expected > purse.most:
        raise ValueError(f"--max_cost: expected at least {expected:.2f} USD for all masks, got {purse.most:g}")
