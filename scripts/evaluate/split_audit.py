"""The work of scripts.evaluate.run: audit every mask of a test split, in order, and score the audits."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import torch

from configs.evaluation import EvaluationArguments
from configs.model import ModelArguments
from dataset.batches.audit_dataset import build_dataset
from dataset.benchmark.annotations import read_test
from dataset.benchmark.samples import Benchmark
from dataset.benchmark.validation import validated
from models.weights.bundle import AuditorBundle
from models.weights.checkpoint import check_auditor, find_auditor
from scripts.answering.answerer import AuditRequest, Reply
from scripts.answering.tensor_answerer import TensorAnswerer
from scripts.evaluate.audit_loop import audit_all
from scripts.features import remember_features
from scripts.program import resolve_runtime
from utils.audit import canonical_mask_type
from utils.record_log import RecordLog
from utils.records import prediction_row, raw_record, to_predictions
from utils.reports.terminal import render_summary
from utils.run_record import fingerprint, write_run_record
from utils.scores.scoring import result_names, score_answers
from utils.whole_files import write_json, write_jsonl

logger = logging.getLogger("inference")
# These settings do not change the answers: an interrupted run may be continued with other values.
HOW_FAST = (
    "batch_size",
    "max_memory_gb",
    "num_workers",
    "share_prompts",
    "draft_answers",
    "feature_cache_dir",
    "feature_cache_gb",
)


def audit_split(model_args: ModelArguments, args: EvaluationArguments) -> None:
    """Check the data, load the auditor, audit every mask, score, write, and print the tables."""
    check_auditor(args.auditor_dir, model_args)
    mask_type = canonical_mask_type(args.mask_type_filter)
    names = result_names(args.test_name, args.eval_mode, mask_type, args.mask_rank_filter)
    folder = Path(args.output_dir) / names.directory
    benchmark = validated(
        read_test(args.data_dir, args.test_name, args.eval_mode, args.mask_type_filter, args.mask_rank_filter),
        args.on_bad_sample,
    )
    device, dtype = resolve_runtime(args)
    bundle = AuditorBundle.from_pretrained(args.auditor_dir, model_args, dtype)
    auditor = bundle.auditor
    if args.merge_lora:
        auditor.merge_lora()
    dataset = build_dataset(
        benchmark.samples, bundle.tokenizer, bundle.pixels, auditor.config, positions=auditor.positions
    )
    if args.feature_cache_dir:
        remember_features(auditor, [dataset], bundle.pixels, args, device, args.num_workers)
    log = RecordLog(folder / f"{names.predictions}.partial", describe_run(model_args, args, benchmark, dtype))
    set_aside(folder, [name for name in (names.metrics, names.predictions, names.video_avg, "run.json") if name])
    answerer = TensorAnswerer(auditor.to(device), bundle.tokenizer, dataset, args)
    title = f"auditing {args.test_name}"
    audit_all(answerer, requests_of(benchmark), log, record_of, batch_size=args.batch_size, title=title)

    answers = to_predictions(log.records)
    summary, predictions, video_rows = score_answers(answers, args.eval_mode, mask_type, args.mask_rank_filter)
    skipped = [str(problem) for problem in benchmark.problems]
    summary["bad_samples_skipped"] = {"count": len(skipped), "problems": skipped}
    write_jsonl(folder / names.predictions, map(prediction_row, predictions))
    if names.video_avg:
        write_jsonl(folder / names.video_avg, video_rows)
    write_json(folder / names.metrics, summary)
    settings = {**vars(model_args), **vars(args), "resolved_dtype": str(dtype), "resolved_device": str(device)}
    counts = {"passed_over": benchmark.passed_over, "bad_samples_skipped": len(skipped)}
    write_run_record(folder, settings, benchmark.files, seed=None, counts=counts)
    log.finish()
    print(render_summary(summary, predictions, args.eval_mode))
    print(f"written to {folder}")


def set_aside(folder: Path, names: list[str]) -> None:
    """Move the results of an earlier run to `previous/`, so that they are neither mixed with this run's nor lost."""
    left = [folder / name for name in names if (folder / name).is_file()]
    if left:
        logger.info("%s: the results of an earlier run go to previous/", folder)
    for path in left:
        (folder / "previous").mkdir(exist_ok=True)
        path.replace(folder / "previous" / path.name)


def describe_run(
    model_args: ModelArguments, args: EvaluationArguments, benchmark: Benchmark, dtype: torch.dtype
) -> dict:
    """Everything that must be the same as in an interrupted run for its answers to be used again.

    Paths are compared as they are spelled, the auditor's files by size and time of change."""
    auditor = find_auditor(args.auditor_dir)
    masks = [(r.sample.uid, r.sample.frame_idx, r.candidate.mask_name) for r in requests_of(benchmark)]
    weights = sorted(p for p in auditor.rglob("*") if p.suffix in (".bin", ".safetensors"))
    return {
        "model": vars(model_args),
        "run": {**vars(args), "dtype": str(dtype)} | dict.fromkeys(HOW_FAST),
        "data": [fingerprint(path) for path in benchmark.files],
        "masks": hashlib.sha256(repr(masks).encode()).hexdigest(),
        "auditor": [[str(p), p.stat().st_size, p.stat().st_mtime_ns] for p in weights],
    }


def requests_of(benchmark: Benchmark) -> list[AuditRequest]:
    """Every mask, in the published order of evaluation."""
    pairs = [(benchmark.samples[s], c) for s, c in benchmark.requests()]
    return [AuditRequest(sample, sample.candidates[c]) for sample, c in pairs]


def record_of(request: AuditRequest, reply: Reply) -> dict:
    """The record of one answer, with the ground truth of its mask."""
    sample, candidate = request.sample, request.candidate
    return raw_record(
        uid=sample.uid,
        vid=sample.vid,
        frame_idx=sample.frame_idx,
        true=candidate.audit,
        rank=candidate.rank,
        mask_path=candidate.mask_name,
        raw_output=reply.text,
        generated_ids=reply.generated_ids,
    )
