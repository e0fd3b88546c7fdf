"""Our way as it is run on a GPU: LoRA merged into the LLM, with few masks at a time where memory is short, and as the
audit program does it, which decodes the next masks in processes of their own while it answers.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable

import torch

from configs.evaluation import EvaluationArguments
from dataset.benchmark.samples import Benchmark
from models.decoding.answers import Written
from models.decoding.together import answer_together
from scripts.answering.answerer import AuditRequest, answer_all
from scripts.answering.tensor_answerer import TensorAnswerer
from scripts.speed.audits import split
from scripts.speed.meter import peak_memory
from scripts.speed.rows import Row
from scripts.speed.steering import Steering
from scripts.speed.ways import Work, drafted

LEAN, LEAN_MASKS = (1, 4), 8  # masks at once where memory is short, and masks that are timed
PROGRAM_BATCH, PROGRAM_WORKERS = 128, 8  # masks at once, and processes that decode


def measure(work: Work, benchmark: Benchmark, repeats: int, published: Row) -> list[Row]:
    """Rows for the masks of `work`, then for all masks of `benchmark` through the audit program's loop.

    `published`: the published way in the same run. LoRA stays merged, and the tower with all its layers, which only the
    published way needs, has left the device.
    """
    rig = work.rig
    rig.auditor.merge_lora()
    rig.whole_tower.cpu()
    if work.meter.device.type == "cuda":
        torch.cuda.empty_cache()
    settings = [("+ merged LoRA", len(work.dataset), len(work.dataset))]
    settings += [(f"lean: {at_once} at once", at_once, LEAN_MASKS) for at_once in LEAN]
    rows = []
    for name, at_once, count in settings:
        portions = [work.part(range(start, min(start + at_once, count))) for start in range(0, count, at_once)]
        row = _timed(
            name, lambda portions=portions: [drafted(one) for one in portions], count, work, repeats, published
        )
        row.seconds = split(portions[0], drafted)
        rows.append(row)
    pairs = benchmark.requests()
    requests = [AuditRequest(benchmark.samples[s], benchmark.samples[s].candidates[c]) for s, c in pairs]
    program = f"audit program: {PROGRAM_BATCH} at once, {PROGRAM_WORKERS} processes decode"
    rows.append(_timed(program, lambda: run_program(work, requests), len(requests), work, repeats, published))
    return rows


def _in_turn(portions: list[Work]) -> None:
    for portion in portions:
        drafted(portion)


def run_program(work: Work, requests: list[AuditRequest]) -> None:
    """Answer all requests as the audit program does, from files."""
    args = EvaluationArguments(num_workers=min(PROGRAM_WORKERS, os.cpu_count()))
    answerer = TensorAnswerer(work.rig.auditor, work.rig.tokenizer, work.dataset, args, _steered(work))
    for _ in answer_all(answerer, requests, PROGRAM_BATCH):
        pass


def _steered(work: Work) -> Callable:
    """How the program answers a batch, with the bias that makes random weights write audits."""
    scripts = work.steering.answers

    def write(auditor, tokenizer, batch, longest: int, drafts, watched) -> list[Written]:
        count = int(batch["rows"]["owner"].max())
        steering = Steering([scripts[number % len(scripts)] for number in range(count)])
        answers = answer_together(auditor, batch, longest, drafts, steering, watched)
        return [Written(answer.ids, tokenizer.decode(answer.ids), torch.stack(answer.seen)) for answer in answers]

    return write


def _timed(name: str, run: Callable, count: int, work: Work, repeats: int, published: Row) -> Row:
    """The median of `repeats` runs on `count` masks, after one to warm up."""
    seconds, peak = [], 0.0
    for _ in range(repeats + 1):
        with peak_memory(work.meter.device) as found:
            start = work.meter.now()
            run()
            seconds.append((work.meter.now() - start) / count)
        peak = max(peak, found["megabytes"])
    masks_per_s = 1 / statistics.median(seconds[1:])
    ratio = masks_per_s / published.masks_per_s
    return Row("audit", work.rig.name, published.masks_per_prefix, name, masks_per_s, ratio, peak, None)
