"""The work of scripts.evaluate.baseline: ask about every mask of a test split, read the replies, and score them."""

from __future__ import annotations

import logging
import random
import re
from collections import Counter
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from configs.baselines import BaselineArguments, ServerArguments
from dataset.benchmark.annotations import read_test, read_train
from dataset.benchmark.samples import Benchmark
from dataset.benchmark.validation import validated
from dataset.text.others_prompt import prompt_digest
from scripts.answering.answerer import AuditRequest
from scripts.answering.audit_loop import audit_all
from scripts.answering.records import record_of
from scripts.baselines.api_answerer import ApiAnswerer
from scripts.baselines.client import ChatClient, Patience
from scripts.baselines.costs import EXPECTED_ANSWER, Prices, Purse, estimate_line, read_prices, rough_tokens
from scripts.baselines.kept import FILE_NAME, KeptReplies
from scripts.baselines.pacing import Clock, Lanes, PerMinute
from scripts.baselines.probe import Probe, probe
from scripts.baselines.question import Asking, Turn, example_turns
from scripts.baselines.transport import Transport
from scripts.baselines.verdict import Usage
from scripts.evaluate.results import requests_of, set_aside, write_results
from utils.audit import canonical_mask_type
from utils.locks import only_one
from utils.mask_types import PAPER_TYPES
from utils.scores.scoring import ResultNames, result_names
from utils.splits import videos_by_seed
from utils.whole_files import own_folder

logger = logging.getLogger("baseline")
PROBE_TOKENS = 16


class Records(list):
    """Records of answers, in order."""

    def add(self, records: list[dict]) -> None:
        self.extend(records)


@dataclass
class Job:
    """What is asked, of whom, and where it is kept."""

    args: BaselineArguments
    server: ServerArguments
    folder: Path
    names: ResultNames
    benchmark: Benchmark
    requests: list[AuditRequest]
    prices: Prices | None


def ask_split(args: BaselineArguments, server: ServerArguments, clock: Clock | None = None) -> None:
    """Read the data, estimate, probe, ask what is missing, score, write and print.

    Raises ValueError, after all other masks were asked, if some have no reply: started again, only those are asked.
    """
    clock = clock or Clock()
    mask_type = canonical_mask_type(args.mask_type_filter)
    names = result_names(args.test_name, args.eval_mode, mask_type, args.mask_rank_filter)
    output = Path(args.output_dir or Path("results") / re.sub(r"[^\w.-]+", "_", args.model).strip("._"))
    prices = read_prices(server.prices, args.model)
    transport = Transport(server.server, server.key_variable, server.timeout)
    with only_one(output / f".{names.directory}.lock", f"evaluation that writes to {names.directory}"):
        benchmark = chosen_videos(validated(read_split(args), args.on_bad_sample), args)
        job = Job(args, server, own_folder(output / names.directory), names, benchmark, requests_of(benchmark), prices)
        kept = KeptReplies(job.folder / FILE_NAME, server.ask_again)
        try:
            _ask(job, kept, transport, clock)
        finally:
            kept.close()


def read_split(args: BaselineArguments) -> Benchmark:
    return read_test(args.data_dir, args.test_name, args.eval_mode, args.mask_type_filter, args.mask_rank_filter)


def chosen_videos(benchmark: Benchmark, args: BaselineArguments) -> Benchmark:
    """The benchmark with the masks of --max_videos videos only."""
    chosen = videos_by_seed([sample.vid for sample in benchmark.samples], args.max_videos, args.seed)
    return replace(benchmark, samples=[sample for sample in benchmark.samples if sample.vid in chosen])


def examples_of(args: BaselineArguments) -> tuple[Turn, ...]:
    """Masks of the training split with their audits, drawn by the seed: one type after the other, each from its own
    video.
    """
    if not args.examples:
        return ()
    rng = random.Random(args.seed)
    samples = read_train(args.data_dir).samples
    rng.shuffle(samples)
    turns: list[Turn] = []
    for number in range(args.examples):
        wanted = PAPER_TYPES[number % len(PAPER_TYPES)]
        pairs = ((s, c) for s in samples for c in s.candidates if c.audit.mask_type == wanted and c.audit.action)
        sample, candidate = next(pairs, (None, None))
        if sample is None:
            raise ValueError(f"--examples: expected a training mask of type {wanted} in another video, got none")
        turns += example_turns(AuditRequest(sample, candidate))
        samples.remove(sample)
    return tuple(turns)


def _ask(job: Job, kept: KeptReplies, transport: Transport, clock: Clock) -> None:
    args, server = job.args, job.server
    asking = Asking(args.view, tuple(args.media), examples_of(args))
    tokens = sum(rough_tokens(turn.parts) for turn in asking.turns(job.requests[0]))
    client = _client(job, kept, transport, clock, tokens)
    fields = {"max_tokens": args.max_new_tokens} | server.more_fields()
    if server.temperature is not None:
        fields = {"temperature": server.temperature} | fields
    answerer = ApiAnswerer(client, kept, asking, args.model, server.video_as, fields, server.at_once)
    missing = answerer.missing(job.requests)
    print(f"{transport.host}: {estimate_line(len(missing), tokens, args.max_new_tokens, job.prices)}")
    if server.estimate_only:
        return
    found = _probed(job, answerer, client, missing) if missing else None
    records = Records()
    title = f"asking about {args.test_name}"
    audit_all(answerer, job.requests, records, record_of, title=title)
    if answerer.failed:
        count, (error, times) = sum(answerer.failed.values()), answerer.failed.most_common(1)[0]
        most = f"{count} of {len(job.requests)} masks have no reply ({times} times: {error})"
        raise ValueError(f"{job.folder}: {most}: start again to ask about them, all others are kept")
    _finish(job, kept, records, found, transport)


def _client(job: Job, kept: KeptReplies, transport: Transport, clock: Clock, tokens: int) -> ChatClient:
    server = job.server
    return ChatClient(
        transport,
        Lanes(server.at_once, clock),
        PerMinute(server.requests_per_minute, clock),
        PerMinute(server.tokens_per_minute, clock),
        Purse(job.prices, server.max_cost, kept.paid),
        Patience(server.most_tries, server.most_seconds, server.same_errors),
        clock,
        job.args.max_new_tokens,
        tokens,
    )


def _probed(job: Job, answerer: ApiAnswerer, client: ChatClient, missing: list[AuditRequest]) -> Probe:
    """The probe, and after it the estimate with the server's own count. Raises ValueError as the settings say."""
    cap = "max_completion_tokens" if "max_completion_tokens" in answerer.fields else "max_tokens"
    short = {cap: min(PROBE_TOKENS, job.args.max_new_tokens)}
    found = probe(client, lambda request, asking: answerer.body(request, asking, **short), missing[0], answerer.asking)
    host = client.transport.host
    if found.unknown:
        logger.warning("%s counts no prompt tokens: whether it reads %s is unknown", host, ", ".join(found.unknown))
    if found.dropped:
        said = f"{host} drops {', '.join(found.dropped)}: the number of prompt tokens does not change with it"
        if job.server.on_dropped_media == "stop":
            raise ValueError(f"{said} (leave it out of --media, or go on with --on_dropped_media mark)")
        logger.warning("%s", said)
    if found.tokens is not None:
        client.worst = replace(client.worst, input=found.tokens)
        print(f"{host}: {estimate_line(len(missing), found.tokens, job.args.max_new_tokens, job.prices)}")
        _check_cost(job, found.tokens, len(missing), client.purse)
    return found


def _check_cost(job: Job, tokens: int, masks: int, purse: Purse) -> None:
    if job.prices is None or job.server.max_cost is None:
        return
    expected = purse.paid + masks * job.prices.of(Usage(tokens, EXPECTED_ANSWER))
    if expected > job.server.max_cost:
        raise ValueError(f"--max_cost: expected at least {expected:.2f} USD for all masks, got {job.server.max_cost:g}")


def _finish(job: Job, kept: KeptReplies, records: list[dict], found: Probe | None, transport: Transport) -> None:
    folder, names, args = job.folder, job.names, job.args
    set_aside(folder, [name for name in (names.metrics, names.predictions, names.video_avg, "run.json") if name])
    settings = asdict(args) | asdict(job.server) | {
        "prompt_sha256": prompt_digest(),
        "host": transport.host,
        "probe": found.row() if found else None,
        "models_as_answered": dict(Counter(row["model"] for row in kept.answers.values() if row["model"])),
    }  # fmt: skip
    tables = write_results(folder, names, args, job.benchmark, records, settings, args.level)
    outcomes = Counter(row["outcome"] for row in kept.answers.values())
    print(tables)
    counts = ", ".join(f"{kind} {count}" for kind, count in outcomes.most_common())
    price = f"; paid {sum(row['price'] for row in kept.rows):.4f} USD" if job.prices else ""
    print(f"replies: {counts}{price}")
    print(f"written to {folder}")
