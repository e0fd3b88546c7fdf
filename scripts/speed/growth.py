"""Time and memory against the number of masks per clip and of clips. Time should grow in proportion, memory not."""

from __future__ import annotations

import gc
from dataclasses import replace
from pathlib import Path

import psutil
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from tqdm import tqdm

from configs.evaluation import EvaluationArguments
from dataset.batches.audit_dataset import build_dataset
from dataset.benchmark.samples import AuditSample
from models.decoding.answers import Written, write_answers
from scripts.answering.answerer import AuditRequest, Reply
from scripts.answering.audit_loop import audit_all
from scripts.answering.tensor_answerer import TensorAnswerer
from scripts.speed.meter import Meter, peak_memory
from scripts.speed.rows import Row
from scripts.speed.ways import Work, drafted
from utils.record_log import RecordLog

MASKS_PER_CLIP = (1, 2, 4, 8, 13, 26, 63, 126)
CLIPS = (10, 100, 1_000, 10_000)
AT_ONCE = 16  # masks in a batch
ANSWERED_FOR_REAL = 100  # clips; beyond, a stub answers at once


def over_masks(work: Work) -> list[Row]:
    """Our way on 1 to 126 masks of one expression."""
    rows = []
    drafted(work.first(2))  # warm
    for count in tqdm([n for n in MASKS_PER_CLIP if n <= len(work.dataset)], "masks per clip"):
        with peak_memory(work.meter.device) as found:
            start = work.meter.now()
            drafted(work.first(count))
            spent = work.meter.now() - start
        rows.append(Row("growth: masks", work.rig.name, count, "ours", count / spent, 1.0, found["megabytes"], None))
    return rows


def over_clips(work: Work, folder: Path) -> list[Row]:
    """The audit program's loop on more and more clips of one mask each. The clips are the same one under new names."""
    rows, sample = [], work.dataset.samples[work.dataset.fixed_pairs[0][0]]
    for count in tqdm(CLIPS, "clips"):
        seconds, megabytes = _audit_clips(work, sample, count, folder)
        rows.append(Row("growth: clips", work.rig.name, 1, f"{count} clips", count / seconds, 1.0, megabytes, None))
    return rows


def _audit_clips(work: Work, sample: AuditSample, count: int, folder: Path) -> tuple[float, float]:
    """Seconds, and megabytes in use at the end beyond those at the first record."""
    rig, log_file = work.rig, folder / "growth.partial"
    log_file.unlink(missing_ok=True)
    clips = [replace(sample, uid=f"{sample.uid}_{n}", vid=f"{sample.vid}_{n}") for n in range(count)]
    dataset = build_dataset(clips, rig.tokenizer, rig.pixels, rig.auditor.config)
    args = EvaluationArguments(max_new_tokens=4, num_workers=0)
    write = write_answers if count <= ANSWERED_FOR_REAL else _stub
    in_use, process = [], psutil.Process()

    def record_of(request: AuditRequest, reply: Reply) -> dict:
        if len(log.records) == len(in_use) * AT_ONCE:  # the first one of a batch
            in_use.append(process.memory_info().rss)
        return {"uid": request.sample.uid, "generated_ids": reply.generated_ids, "raw_output": reply.text}

    gc.collect()
    start = Meter(torch.device("cpu")).now()
    log = RecordLog(log_file, {"clips": count})
    answerer = TensorAnswerer(rig.auditor, rig.tokenizer, dataset, args, write)
    audit_all(answerer, [AuditRequest(clip, clip.candidates[0]) for clip in clips], log, record_of, batch_size=AT_ONCE)
    seconds = work.meter.now() - start
    log.finish()
    return seconds, (max(in_use) - in_use[0]) / 2**20


def _stub(auditor, tokenizer, batch: dict, longest: int, drafts, watched) -> list[Written]:
    return [Written([0], "", torch.zeros(1, len(watched)))] * int(batch["rows"]["owner"].max())


def plot(rows: list[Row], path: Path) -> None:
    """Seconds and memory, for masks on the left and clips on the right."""
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    axes = figure.subplots(1, 2)
    for axis, work, label in zip(axes, ("growth: masks", "growth: clips"), ("masks of one clip", "clips"), strict=True):
        own = [row for row in rows if row.work == work]
        counts = [row.masks_per_prefix if work == "growth: masks" else int(row.step.split()[0]) for row in own]
        axis.loglog(counts, [n / row.masks_per_s for n, row in zip(counts, own, strict=True)], "o-", label="seconds")
        axis.loglog(counts, [max(row.peak_mb, 1) for row in own], "s--", label="memory, MB")
        axis.set_xlabel(label)
        axis.legend()
    FigureCanvasAgg(figure).print_png(path)
