"""The data side alone: from files at 1280 x 720 to the tensors of a batch, one core, no model."""

from __future__ import annotations

import statistics

import cv2
import torch
from tqdm import tqdm

from dataset.batches.collator import AuditCollator
from dataset.batches.grouping import GroupingCollator
from dataset.batches.items import AuditItem
from dataset.media.decoded import forget_decoded
from scripts.speed.meter import Meter, peak_memory
from scripts.speed.rows import Row
from scripts.speed.ways import Work


def one_by_one(work: Work) -> list[AuditItem]:
    """As published: everything is decoded again for each mask."""
    items = []
    for i in range(len(work.dataset)):
        forget_decoded()
        items.append(work.dataset[i])
        AuditCollator(work.rig.tokenizer.pad_token_id)(items[-1:])
    return items


def in_groups(work: Work) -> list[AuditItem]:
    """Frames and sounds are decoded once per group."""
    forget_decoded()
    items = [work.dataset[i] for i in range(len(work.dataset))]
    GroupingCollator(work.rig.tokenizer.pad_token_id)(items)
    return items


WAYS = {"published way": one_by_one, "+ media once": in_groups}


def measure(work: Work, repeats: int) -> list[Row]:
    """Both ways in turn, after one round that is not timed; `identical` compares pixels and filter banks."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    meter, count = Meter(torch.device("cpu")), len(work.dataset)
    seconds, peaks, items = {name: [] for name in WAYS}, dict.fromkeys(WAYS, 0.0), {}
    for number in tqdm(range(repeats + 1), f"data, {count} masks", unit="round"):
        for name, way in WAYS.items():
            with peak_memory(meter.device) as found:
                start = meter.now()
                items[name] = way(work)
                spent = meter.now() - start
            peaks[name] = max(peaks[name], found["megabytes"])
            if number:
                seconds[name].append(spent / count)
    torch.set_num_threads(threads)
    typical = {name: statistics.median(own) for name, own in seconds.items()}
    return [
        Row(
            "data",
            "1280x720",
            count,
            name,
            1 / own,
            typical["published way"] / own,
            peaks[name],
            _same(items["published way"], items[name]),
            seconds={"data": own},
        )
        for name, own in typical.items()
    ]


def _same(expected: list[AuditItem], got: list[AuditItem]) -> bool:
    return all(
        torch.equal(mine, yours)
        for own, other in zip(expected, got, strict=True)
        for (_, mine), (_, yours) in zip((*own.images, *own.sounds), (*other.images, *other.sounds), strict=True)
    )
