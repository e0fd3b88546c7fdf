"""Masks per second from files to answers, way by way."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from functools import partial

import torch
from tqdm import tqdm

from scripts.speed.limits import Machine, Need, flops_of, passes_of
from scripts.speed.meter import Meter, peak_memory
from scripts.speed.rows import Row
from scripts.speed.ways import WAYS, Work, margins

COMPARED = 13  # masks that slow ways answer once, to be compared
TIMED = {"published way": 4, "+ used layers only": 4, "+ media once": COMPARED}  # masks that they are timed on
FEW_ON_GPU = 2  # at most, at full size: a mask takes the published way five seconds
UNDECIDED = 1e-4  # between the two likeliest tokens


def measure(work: Work, repeats: int, machine: Machine, per_prompt: int) -> list[Row]:
    """Every way on the same masks, in turn; the first round warms up, and its answers are compared.

    `per_prompt`: how many of the masks stand behind one prompt. Answers are compared in float32 only: in bfloat16 a
    token changes with the batch that it is computed in.
    """
    count, exact = len(work.dataset), next(work.rig.auditor.parameters()).dtype == torch.float32
    compared = {name: work.first(min(count, COMPARED if exact else 1)) if name in TIMED else work for name in WAYS}
    most = {name: few if exact else min(few, FEW_ON_GPU) for name, few in TIMED.items()}
    timed = {name: work.first(min(count, most.get(name, count))) for name in WAYS}
    answers = {
        name: way(compared[name]) for name, way in tqdm(WAYS.items(), f"{work.rig.name}, {count} masks, warming up")
    }
    seconds: dict[str, list[float]] = {name: [] for name in WAYS}
    peaks = dict.fromkeys(WAYS, 0.0)
    with tqdm(total=repeats * len(WAYS), desc=f"{work.rig.name}, {count} masks, timed", unit="run") as bar:
        for _ in range(repeats):
            for name, way in WAYS.items():
                meter = Meter(work.meter.device)
                with peak_memory(meter.device) as found:
                    start = meter.now()
                    said = way(timed[name])
                    seconds[name].append((meter.now() - start) / len(said))
                peaks[name] = max(peaks[name], found["megabytes"])
                bar.update()
    parts = {name: split(own, WAYS[name]) for name, own in timed.items()}
    limit = least_seconds(work, machine, answers["+ drafts"])
    typical = {name: statistics.median(own) for name, own in seconds.items()}
    decided = partial(margins, work)
    rows = []
    for name in WAYS:
        same, ties = compare(answers["published way"], answers[name], decided) if exact else (None, 0)
        rows.append(
            Row(
                "audit",
                work.rig.name,
                per_prompt,
                name,
                1 / typical[name],
                typical["published way"] / typical[name],
                peaks[name],
                same,
                ties,
                limit / typical[name],
                parts[name],
            )
        )
    return rows


def compare(expected: list[list[int]], got: list[list[int]], decided: Callable[[int], list[float]]) -> tuple[bool, int]:
    """Whether the answers are the same wherever the published way was decided, and how often they part where not.

    `decided`: number of a mask -> how far its likeliest token was ahead, at each place.
    """
    ties, same = 0, True
    for number, (own, other) in enumerate(zip(expected, got, strict=False)):  # slow ways did the first masks only
        parted = next((i for i in range(max(len(own), len(other))) if own[i : i + 1] != other[i : i + 1]), None)
        if parted is None:
            continue
        certain = decided(number)
        tie = parted < len(certain) and certain[parted] < UNDECIDED
        ties, same = ties + tie, same and tie
    return same, ties


def split(work: Work, way) -> dict[str, float]:
    """Seconds per mask by part, in a run of its own: looking at the clock costs time."""
    work.meter.seconds.clear()
    with work.meter.watching(work.rig.auditor, work.rig.whole_tower):
        answers = way(work)
    return {part: seconds / len(answers) for part, seconds in work.meter.seconds.items()}


def least_seconds(work: Work, machine: Machine, answers: list[list[int]]) -> float:
    """The limit per mask for the masks of `work`, when nothing is done twice."""
    auditor, items = work.rig.auditor, [work.dataset[i] for i in range(len(work.dataset))]
    dtype, device = next(auditor.parameters()).dtype, auditor.device
    images = {key: pixels for item in items for key, pixels in item.images}
    sounds = {key: fbank for item in items for key, fbank in item.sounds}
    pixels = next(iter(images.values()))[None].to(device, dtype)
    flops = len(images) * (
        flops_of(auditor.vision_encoder, pixels) + flops_of(auditor.vision_projector, auditor.encode_images(pixels))
    )
    for fbank in sounds.values():
        flops += flops_of(auditor.audio_encoder, fbank.to(device, dtype))
        flops += flops_of(auditor.audio_projector, auditor.encode_sounds([fbank.to(device, dtype)])[0])
    weights = sum(p.numel() for n, p in auditor.language_model.named_parameters() if "embed_tokens" not in n)
    samples = {item.sample: item.num_shared for item in items}
    own = sum(len(item.input_ids) - item.num_shared for item in items)
    scripts = work.steering.answers if work.steering else answers
    need = Need(
        flops,
        sum(samples.values()) + own,
        sum(map(len, answers)),
        max(map(passes_of, scripts)) if work.steering else max(map(len, answers)),
        2 * weights,
        weights * torch.finfo(dtype).bits / 8,
    )
    return need.seconds(machine) / len(items)
