"""The work of scripts.evaluate.baseline: ask about every mask of a test split, read the replies, and score them."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path

from configs.baselines import BaselineArguments, LocalArguments, ServerArguments
from dataset.benchmark.validation import validated
from scripts.baselines.ask_server import ask_server
from scripts.baselines.costs import read_prices
from scripts.baselines.job import Job, chosen_videos, read_split
from scripts.baselines.kept import FILE_NAME, KeptReplies
from scripts.baselines.pacing import Clock
from scripts.baselines.transport import Transport
from scripts.evaluate.results import requests_of
from utils.audit import canonical_mask_type
from utils.locks import only_one
from utils.scores.scoring import result_names
from utils.whole_files import own_folder


def ask_split(
    args: BaselineArguments, server: ServerArguments, local: LocalArguments, clock: Clock | None = None
) -> None:
    """Ask a server or a local model what is missing, then score, write and print.

    Raises ValueError, after all other masks were asked, if some have no reply: started again, only those are asked.
    """
    model = model_name(args, server, local)
    transport = Transport(server.server, server.key_variable, server.timeout) if server.server else None
    read_prices(server.prices, model)
    names = result_names(
        args.test_name, args.eval_mode, canonical_mask_type(args.mask_type_filter), args.mask_rank_filter
    )
    output = Path(args.output_dir or Path("results") / re.sub(r"[^\w.-]+", "_", model).strip("._"))
    with ExitStack() as held:
        lock = output / f".{names.directory}.lock"
        held.enter_context(only_one(lock, f"evaluation that writes to {names.directory}"))
        benchmark = chosen_videos(validated(read_split(args), args.on_bad_sample), args)
        folder = own_folder(output / names.directory)
        kept = KeptReplies(folder / FILE_NAME, args.ask_again)
        held.callback(kept.close)
        job = Job(args, model, folder, names, benchmark, requests_of(benchmark), kept)
        if transport:
            ask_server(job, server, transport, clock or Clock())
        else:
            from scripts.baselines.ask_model import ask_model  # late: imports torch

            ask_model(job, local)


def model_name(args: BaselineArguments, server: ServerArguments, local: LocalArguments) -> str:
    """The model's name. Raises ValueError unless one of --server and --model_dir is there, the first with --model, and
    for settings of the other one.
    """
    if bool(server.server) == bool(local.model_dir):
        raise ValueError(f"expected --server or --model_dir, got {'both' if server.server else 'neither'}")
    if server.server and not args.model:
        raise ValueError("--server: expected --model beside it, got none")
    _expect_none(local if server.server else server, "--server" if server.server else "--model_dir")
    return args.model or Path(local.model_dir).resolve().name


def _expect_none(settings: ServerArguments | LocalArguments, beside: str) -> None:
    plain = type(settings)()
    changed = [own.name for own in fields(settings) if getattr(settings, own.name) != getattr(plain, own.name)]
    if changed:
        what = "a server" if isinstance(settings, ServerArguments) else "a local model"
        raise ValueError(f"{beside}: expected no settings of {what}, got --{changed[0]}")
