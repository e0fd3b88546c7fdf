"""Which mask of which video a training step sees (paper Sec. 4, "Training").

Everything depends on seed, epoch and place in the global order only, so an interrupted run goes on where it stopped.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from torch.utils.data import Sampler

from dataset.benchmark.samples import AuditSample


def perfect_quota(num: int, pos_ratio: float, before: int = 0) -> int:
    """How many of a mini-batch of `num` masks are perfect, after `before` masks of the epoch: the rounded share.

    What rounding leaves over counts in the mini-batches that follow. So 0.3 of 8 masks are 2 or 3, and 0.3 in all.
    """
    return int((before + num) * pos_ratio + 0.5) - int(before * pos_ratio + 0.5)


def select_candidates(types_per_sample: Sequence[Sequence[str]], quota: int, rng: random.Random) -> list[int | None]:
    """One candidate index per sample of a mini-batch, with its quota of perfect masks.

    The samples are walked in order: a perfect mask while the quota lasts, otherwise a negative, its type drawn first
    and then the item. A sample with perfect masks only gives one beyond the quota; a sample without any mask gives
    None.
    """
    chosen = []
    for types in types_per_sample:
        positives = [i for i, mask_type in enumerate(types) if mask_type == "perfect"]
        negative_types = sorted(set(types) - {"perfect"})
        if positives and (quota > 0 or not negative_types):
            quota = max(0, quota - 1)
            chosen.append(rng.choice(positives))
        elif not types:
            chosen.append(None)
        else:
            drawn = rng.choice(negative_types)
            chosen.append(rng.choice([i for i, mask_type in enumerate(types) if mask_type == drawn]))
    return chosen


class BalancedSampler(Sampler):
    """Yields (sample index, candidate index); every run of `batch_size` pairs is one balanced mini-batch.

    Each epoch shows each sample once, or `masks_per_video` times within one mini-batch, where the samples' frames are
    then encoded once for all their masks. Within a mini-batch the pairs are shuffled, so that positives stand anywhere.
    """

    def __init__(
        self, samples: Sequence[AuditSample], batch_size: int, pos_ratio: float, seed: int, masks_per_video: int = 1
    ):
        self.types = [[c.audit.mask_type for c in sample.candidates] for sample in samples]
        self.batch_size, self.pos_ratio, self.seed = batch_size, pos_ratio, seed
        self.masks_per_video = masks_per_video
        self.epoch = 0

    def __len__(self) -> int:
        return len(self.types) * self.masks_per_video

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __iter__(self) -> Iterator[tuple[int, int]]:
        order = list(range(len(self.types)))
        random.Random(f"{self.seed}/{self.epoch}").shuffle(order)
        videos = self.batch_size // self.masks_per_video
        for start in range(0, len(order), videos):
            batch = order[start : start + videos] * self.masks_per_video  # a quota goes round the videos, not into one
            rng = random.Random(f"{self.seed}/{self.epoch}/{start}")
            perfect = perfect_quota(len(batch), self.pos_ratio, before=start * self.masks_per_video)
            chosen = select_candidates([self.types[i] for i in batch], perfect, rng)
            pairs = list(zip(batch, chosen, strict=True))
            rng.shuffle(pairs)
            yield from pairs


def split_train(
    samples: Sequence[AuditSample], train_fraction: float, eval_fraction: float, seed: int
) -> tuple[list[AuditSample], list[AuditSample]]:
    """(training samples, held-out samples), both in file order.

    The held-out share is taken first and is the same for every `train_fraction`; the training share (paper Table 10)
    is a prefix of one shuffled order, so that a smaller share is part of a larger one.
    """
    order = list(range(len(samples)))
    random.Random(f"split/{seed}").shuffle(order)
    num_eval = int(len(order) * eval_fraction)
    held_out, rest = order[:num_eval], order[num_eval:]
    kept = rest[: max(1, round(len(rest) * train_fraction))]
    return [samples[i] for i in sorted(kept)], [samples[i] for i in sorted(held_out)]
