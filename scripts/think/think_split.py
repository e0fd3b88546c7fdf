"""The work of scripts.think.run: answer every expression of a split, in order."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from configs.runtime import AnsweringArguments
from configs.thinking import ThinkArguments, ThinkerArguments
from dataset.batches.think_dataset import ThinkDataset, build_think_dataset
from dataset.referring.layout import ReferringData
from dataset.referring.thinking import ThinkSample, read_think_samples
from models.decoding.answers import decode_spaced, write_answers
from models.thinker.build import THINKER
from models.weights.bundle import ThinkerBundle
from models.weights.checkpoint import check_auditor, find_auditor
from scripts.answering.answerer import Reply
from scripts.answering.audit_loop import audit_all
from scripts.answering.tensor_answerer import TensorAnswerer
from scripts.evaluate.split_audit import set_aside
from scripts.features import remember_features
from scripts.program import resolve_runtime
from scripts.segment.mask_scoring import open_data
from utils.record_log import RecordLog
from utils.run_record import fingerprint, write_run_record
from utils.thought import parse_thought
from utils.whole_files import write_json, write_jsonl

logger = logging.getLogger("think")
RESULTS = "inference_results.jsonl"
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


@dataclass(frozen=True)
class ThinkRequest:
    """One expression to be answered. It has no mask."""

    sample: ThinkSample
    candidate: None = None


def think_split(model_args: ThinkerArguments, args: ThinkArguments) -> Path:
    """Check the data, load the thinker, answer every expression, and write the answers. Returns the run's folder."""
    check_auditor(args.thinker_dir, model_args, THINKER)
    data = open_data(args)
    samples = read_think_samples(data, args.test_name)
    folder = Path(args.output_dir) / f"{args.benchmark}_{args.test_name}"
    device, dtype = resolve_runtime(args)
    bundle = ThinkerBundle.from_pretrained(args.thinker_dir, model_args, dtype)
    if args.merge_lora:
        bundle.model.merge_lora()
    num_query_tokens, positions = bundle.model.config.num_query_tokens, bundle.model.positions
    dataset = build_think_dataset(samples, bundle.tokenizer, bundle.pixels, num_query_tokens, positions)
    if args.feature_cache_dir:
        remember_features(bundle.model, [dataset], bundle.pixels, args, device, args.num_workers)
    log = RecordLog(folder / f"{RESULTS}.partial", describe_run(model_args, args, data, samples, dtype))
    set_aside(folder, [RESULTS, "summary.json", "run.json"])
    answerer = think_answerer(bundle, dataset, args, device)
    if log.records:
        logger.info("going on after %d expressions that an interrupted run has answered", len(log.records))
    requests = [ThinkRequest(sample) for sample in samples[len(log.records) :]]
    audit_all(answerer, requests, log, record_of, batch_size=args.batch_size, title=f"thinking about {args.test_name}")
    write_jsonl(folder / RESULTS, log.records)
    summary = summarize(log.records)
    write_json(folder / "summary.json", summary)
    settings = {**vars(model_args), **vars(args), "resolved_dtype": str(dtype), "resolved_device": str(device)}
    write_run_record(folder, settings, [data.metadata_path()], seed=None, counts=summary)
    log.finish()
    print("\n".join(f"{name}: {value}" for name, value in summary.items()))
    print(f"written to {folder / RESULTS}")
    return folder


def think_answerer(
    bundle: ThinkerBundle, dataset: ThinkDataset, args: AnsweringArguments, device: torch.device
) -> TensorAnswerer:
    """Answers `ThinkRequest`s. Any number of them together gives the answers that each has alone (in float32)."""
    write = partial(write_answers, decode=decode_spaced)
    return TensorAnswerer(bundle.model.to(device), bundle.tokenizer, dataset, args, write, first_answers=())


def record_of(request: ThinkRequest, reply: Reply) -> dict:
    """The published fields uid, ref and predict, and ours. Names whose tags are missing are null."""
    expression, thought = request.sample.expression, parse_thought(reply.text)
    return {
        "uid": expression.uid,
        "ref": expression.text,
        "predict": reply.text,
        "key": expression.key,
        "split": expression.split,
        "fid": expression.fid,
        "f_object": thought.f_object,
        "s_object": thought.s_object,
        "generated_ids": reply.generated_ids,
    }


def summarize(records: list[dict]) -> dict:
    """How many answers there are, how many lack a name, and how many say that nothing is meant."""
    thoughts = [parse_thought(record["predict"]) for record in records]
    return {
        "expressions": len(records),
        "without_s_object": sum(thought.s_object is None for thought in thoughts),
        "without_f_object": sum(thought.f_object is None for thought in thoughts),
        "null": sum(thought.is_null for thought in thoughts),
        "s_object_as_in_uid": sum(
            (thought.s_object or "").lower() == record["uid"].rsplit("_", 2)[1].lower()
            for record, thought in zip(records, thoughts, strict=True)
        ),
    }


def describe_run(
    model_args: ThinkerArguments,
    args: ThinkArguments,
    data: ReferringData,
    samples: list[ThinkSample],
    dtype: torch.dtype,
) -> dict:
    """Everything that must be the same as in an interrupted run for its answers to be used again."""
    thinker = find_auditor(args.thinker_dir, THINKER)
    asked = [(s.expression.key, s.expression.text) for s in samples]
    weights = sorted(p for p in thinker.rglob("*") if p.suffix in (".bin", ".safetensors"))
    return {
        "model": vars(model_args),
        "run": {**vars(args), "dtype": str(dtype)} | dict.fromkeys(HOW_FAST),
        "data": fingerprint(data.metadata_path()),
        "expressions": hashlib.sha256(repr(asked).encode()).hexdigest(),
        "thinker": [[str(p), p.stat().st_size, p.stat().st_mtime_ns] for p in weights],
    }
