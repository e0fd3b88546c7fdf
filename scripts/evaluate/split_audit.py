"""The work of scripts.evaluate.run: audit every mask of a test split, in order, and score the audits."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from configs.evaluation import EvaluationArguments
from configs.model import ModelArguments
from dataset.batches.audit_dataset import build_dataset
from dataset.benchmark.annotations import read_test
from dataset.benchmark.samples import Benchmark
from dataset.benchmark.validation import validated
from dataset.features.names import forget_digests
from dataset.media.decoded import forget_decoded
from models.weights.bundle import AuditorBundle
from models.weights.checkpoint import check_auditor
from scripts.answering.answerer import AuditRequest
from scripts.answering.basis import Basis, model_basis, request_bases
from scripts.answering.records import mask_identity, record_of, reply_of
from scripts.answering.stored_answers import Logs, collect, log_answers, resume
from scripts.answering.tensor_answerer import TensorAnswerer
from scripts.evaluate.results import requests_of, set_aside, write_results
from scripts.evaluate.sharing import join_processes, own_device, share_of, wait_for_all
from scripts.features import remember_features
from scripts.program import resolve_runtime
from scripts.ranks import on_first_rank, rank, told_once, world_size
from utils.audit import canonical_mask_type
from utils.certainty.stored import Calibration
from utils.locks import only_one
from utils.scores.scoring import ResultNames, result_names
from utils.whole_files import own_folder

logger = logging.getLogger("inference")
PATIENCE = 10.0  # seconds until a folder in use is refused: the processes of a killed run need a moment to end


@dataclass(frozen=True)
class Run:
    """What is audited, and where the results go."""

    args: EvaluationArguments
    names: ResultNames
    folder: Path
    benchmark: Benchmark
    requests: list[AuditRequest]  # every mask, in the published order of evaluation

    @property
    def logs(self) -> Logs:
        return Logs(self.folder, self.names.predictions)

    @property
    def masks(self) -> list[tuple]:
        """What names each mask."""
        return [mask_identity(request) for request in self.requests]


def audit_split(model_args: ModelArguments, args: EvaluationArguments) -> None:
    """Check the data, load the auditor, audit every mask, score, write, and print the tables.

    Several processes share the masks; the first one does everything else.
    """
    join_processes()
    args = replace(args, device=own_device(args.device))
    with told_once():
        check_auditor(args.auditor_dir, model_args)
    forget_decoded()
    forget_digests()
    with ExitStack() as held:
        run = on_first_rank(lambda: prepare(args, held))
        device, dtype = resolve_runtime(args)
        bundle = AuditorBundle.from_pretrained(args.auditor_dir, model_args, dtype)
        model = model_basis(bundle, model_args, args, str(dtype)) if rank() == 0 else {}
        auditor = bundle.auditor
        logger.info("auditor: %s", bundle.about.line())
        if args.merge_lora:
            auditor.merge_lora()
        dataset = build_dataset(
            run.benchmark.samples, bundle.tokenizer, bundle.pixels, auditor.config, positions=auditor.positions
        )
        if args.feature_cache_dir:
            remember_features(auditor, [dataset], bundle.pixels, args, device, args.num_workers)
        bases, todo = on_first_rank(lambda: plan(run, request_bases(dataset, run.requests, model)))
        known_clips = bundle.about.known_clips
        answerer = TensorAnswerer(auditor.to(device), bundle.tokenizer, dataset, args, known_clips=known_clips)
        ask(answerer, run, bases, todo)
        wait_for_all()
        if rank() == 0:
            settings = vars(model_args) | vars(args) | {"resolved_dtype": str(dtype), "resolved_device": str(device)}
            settings |= {"auditor_card": bundle.about.card and vars(bundle.about.card)}
            finish(run, bases, settings, bundle.about.calibration)


def prepare(args: EvaluationArguments, held: ExitStack) -> Run:
    """Take the lock of the run's folder, and read and check the data."""
    mask_type = canonical_mask_type(args.mask_type_filter)
    names = result_names(args.test_name, args.eval_mode, mask_type, args.mask_rank_filter)
    lock = Path(args.output_dir) / f".{names.directory}.lock"
    held.enter_context(only_one(lock, f"evaluation that writes to {names.directory}", PATIENCE))
    benchmark = validated(
        read_test(args.data_dir, args.test_name, args.eval_mode, args.mask_type_filter, args.mask_rank_filter),
        args.on_bad_sample,
        allow_links=args.allow_links,
    )
    return Run(args, names, own_folder(Path(args.output_dir) / names.directory), benchmark, requests_of(benchmark))


def plan(run: Run, bases: list[Basis]) -> tuple[dict[tuple, Basis], list[int]]:
    """Identity of each mask -> its basis, and the numbers of the requests that have no answer yet."""
    by_mask = dict(zip(run.masks, bases, strict=True))
    held = resume(run.logs, by_mask)
    results = (run.names.metrics, run.names.predictions, run.names.video_avg, "run.json")
    set_aside(run.folder, [name for name in results if name])
    todo = {mask: number for number, mask in reversed(list(enumerate(run.masks))) if mask not in held}
    return by_mask, sorted(todo.values())


def ask(answerer: TensorAnswerer, run: Run, bases: dict[tuple, Basis], todo: list[int]) -> None:
    """Ask for the audits that are this process's share of what is to do."""
    own = share_of([run.requests[number] for number in todo], rank(), world_size())
    title = f"auditing {run.args.test_name}"
    if world_size() > 1:
        title += f", share 1 of {world_size()}"
    log_answers(answerer, own, run.logs.of(rank()), bases, batch_size=run.args.batch_size, title=title)


def finish(run: Run, bases: dict[tuple, Basis], settings: dict, calibration: Calibration | None) -> None:
    """Score the answers of all processes, write the results, and remove the logs."""
    args, names, folder = run.args, run.names, run.folder
    stored = collect(run.logs, run.masks, bases)
    records = list(map(record_of, run.requests, map(reply_of, stored)))
    scored = {"iou": args.iou, "calibration": calibration}
    tables = write_results(folder, names, args, run.benchmark, records, settings, **scored)
    run.logs.remove()
    print(tables)
    print(f"written to {folder}")
    if args.report:
        from scripts.reporting.build import write_report  # late: imports matplotlib and pandas

        print(f"written: {write_report(folder)}")
