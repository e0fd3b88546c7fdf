"""What a training run says of its auditor: a card, and statistics of the clips that it is trained on."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

import torch
from torch import Tensor

from configs.data import DataArguments
from configs.trainer import FinetuningArguments
from dataset.batches.audit_dataset import AuditDataset
from dataset.benchmark.samples import AuditSample
from dataset.benchmark.uids import object_of
from dataset.features.store import encode_each
from models.auditor.auditor import Auditor
from models.weights.about import About
from utils.card import Card
from utils.certainty.known_clips import KnownClips


def describe(
    auditor: Auditor,
    dataset: AuditDataset,
    held_out: Sequence[AuditSample],
    data_args: DataArguments,
    training_args: FinetuningArguments,
    length: str,
) -> About:
    """What is known of an auditor that is trained on the dataset; `length` says for how long."""
    card = Card(
        data=Path(data_args.data_dir).resolve().name,
        videos=len({sample.vid for sample in dataset.samples}),
        held_out_videos=len({sample.vid for sample in held_out}),
        categories=sorted({name for sample in dataset.samples if (name := object_of(sample.uid))}),
        steps=length,
        seed=training_args.seed,
        date=datetime.now(timezone.utc).date().isoformat(),
    )
    workers = training_args.dataloader_num_workers
    return About(card, know_clips(auditor, dataset, data_args.known_clips, training_args.device, workers))


def know_clips(
    auditor: Auditor, dataset: AuditDataset, most: int, device: torch.device, num_workers: int
) -> KnownClips | None:
    """Statistics of at most `most` clips of the dataset; features that it has already are not computed again.

    None for an auditor that is trained without video, or with too few clips.
    """
    clips = {sample.vid: dataset.media_of(sample)[0][:-1] for sample in dataset.samples}  # the last is the key frame
    chosen = sorted(random.Random("known clips").sample(sorted(clips), min(most, len(clips))))
    frames = [path for vid in chosen for path in clips[vid]]
    if not frames:
        return None
    if dataset.features is not None:
        pooled = {path: pool_frame(dataset.features.images[path]) for path in dict.fromkeys(frames)}
    else:
        auditor.vision_encoder.to(device)
        pooled = encode_each(
            frames,
            dataset.read_image,
            lambda pictures: [pool_frame(own) for own in auditor.encode_images(torch.stack(pictures).to(device))],
            title="looking at training clips",
            num_workers=num_workers,
        )
    means = [torch.stack([pooled[path] for path in clips[vid]]).mean(0) for vid in chosen]
    return KnownClips.of(torch.stack(means).numpy())


def pool_frame(features: Tensor) -> Tensor:
    """(N, E) features of a frame -> (E,) float32."""
    return features.float().mean(0)
