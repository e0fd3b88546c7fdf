"""One training step, forward and backward, per mask: the published way, then our changes added one by one."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
import torch.nn.functional as F
from accelerate.utils import send_to_device
from torch import Tensor
from tqdm import tqdm

from dataset.batches.collator import AuditCollator
from dataset.batches.items import AuditItem
from models.auditor.auditor import Auditor
from models.auditor.trainable import mark_trainable
from scripts.speed.meter import Meter, peak_memory
from scripts.speed.rows import Row
from scripts.speed.sizes import Rig
from utils.batches import AuditBatch
from utils.tokens import IGNORE_INDEX

CLOSE = 1e-3  # relative, between gradients
Step = Callable[[Rig, list[AuditItem]], Tensor]


def everywhere(rig: Rig, items: list[AuditItem]) -> Tensor:
    """The loss from logits at every position, as published."""
    batch = _batch(rig, items, share_prompts=False)
    labels = batch["labels"]
    logits = rig.auditor(**{**batch, "labels": None}).logits[:, :-1]
    return F.cross_entropy(logits.flatten(0, 1).float(), labels[:, 1:].flatten(), ignore_index=IGNORE_INDEX)


def at_answers(rig: Rig, items: list[AuditItem]) -> Tensor:
    """Head and loss at the answers only."""
    return rig.auditor(**_batch(rig, items, share_prompts=False)).loss


def behind_one_prompt(rig: Rig, items: list[AuditItem]) -> Tensor:
    """The masks of a video share one prompt (--masks_per_video)."""
    return rig.auditor(**_batch(rig, items, share_prompts=True)).loss


@contextmanager
def checkpointing(auditor: Auditor, on: bool) -> Iterator[None]:
    """Inside, the LLM's activations are computed anew in the backward pass; that needs the mode of training."""
    if not on:
        yield
        return
    auditor.train()
    auditor.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    yield
    auditor.gradient_checkpointing_disable()
    auditor.eval()


STEPS: dict[str, Step] = {
    "published way": everywhere,
    "+ head at answers": at_answers,
    "+ masks_per_video": behind_one_prompt,
}
CACHED, CHECKPOINTED = "+ cache_features", "head at answers, gradient checkpointing"


def _batch(rig: Rig, items: list[AuditItem], share_prompts: bool) -> AuditBatch:
    return send_to_device(AuditCollator(rig.tokenizer.pad_token_id, share_prompts)(items), rig.auditor.device)


def measure(rig: Rig, items: list[AuditItem], repeats: int) -> list[Row]:
    """Every way on the same masks of one video, in turn; `identical`: the gradients, to one part in a thousand.

    Gradients are compared in float32, and without the dropout that comes with gradient checkpointing.
    """
    auditor, meter = rig.auditor, Meter(rig.auditor.device)
    exact = next(auditor.parameters()).dtype == torch.float32
    mark_trainable(auditor)
    encoded = encode(rig, items)
    ways = {name: (step, items) for name, step in STEPS.items()}
    ways |= {CACHED: (behind_one_prompt, encoded), CHECKPOINTED: (at_answers, items)}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    peaks, gradients = dict.fromkeys(ways, 0.0), {}
    for number in tqdm(range(repeats + 1), f"{rig.name}, training, {len(items)} masks", unit="round"):
        for name, (step, own) in ways.items():
            auditor.zero_grad()
            with peak_memory(meter.device) as found, checkpointing(auditor, name == CHECKPOINTED):
                start = meter.now()
                step(rig, own).backward()
                spent = meter.now() - start
            peaks[name] = max(peaks[name], found["megabytes"])
            if number:
                seconds[name].append(spent / len(items))
            else:
                gradients[name] = torch.cat([p.grad.flatten() for p in auditor.parameters() if p.grad is not None])
    auditor.zero_grad()
    auditor.requires_grad_(False)
    typical, expected = {name: statistics.median(own) for name, own in seconds.items()}, gradients["published way"]

    def same(name: str) -> bool | None:
        if not exact or name == CHECKPOINTED:
            return None
        return bool((gradients[name] - expected).norm() <= CLOSE * expected.norm())

    return [
        Row("train", rig.name, len(items), name, 1 / own, typical["published way"] / own, peaks[name], same(name))
        for name, own in typical.items()
    ]


@torch.no_grad()
def encode(rig: Rig, items: list[AuditItem]) -> list[AuditItem]:
    """The items with the frozen encoders' features of their media."""
    images = {key: pixels for item in items for key, pixels in item.images}
    sounds = {key: fbank for item in items for key, fbank in item.sounds}
    seen = {key: rig.auditor.encode_images(p[None].to(rig.auditor.device))[0] for key, p in images.items()}
    heard = {key: rig.auditor.encode_sounds([f.to(rig.auditor.device)])[0] for key, f in sounds.items()}
    return [
        replace(
            item,
            images=[(key, seen[key]) for key, _ in item.images],
            sounds=[(key, heard[key]) for key, _ in item.sounds],
            encoded=True,
        )
        for item in items
    ]
