"""Answers as an auditor might give them, for measurements that need many: half of them wrong, with probabilities."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from dataset.benchmark.annotations import read_test
from utils.audit import ACTIONS, Audit, render_audit
from utils.certainty.shares import FORMS, Shares
from utils.mask_types import PAPER_TYPES
from utils.records import raw_record


def drawn_answers(root: str, test_name: str, most: int, seed: int = 0) -> Iterator[dict]:
    """A record for each of the first `most` masks of a split in image mode. Raises ValueError for fewer masks."""
    rng, count = random.Random(seed), 0
    for sample in read_test(root, test_name, "image").samples:
        for candidate in sample.candidates:
            if count == most:
                return
            count += 1
            true = candidate.audit
            mask_type, action = rng.choice(FORMS) if rng.random() < 0.5 else (true.mask_type, true.action)
            said = Audit(mask_type, rng.random(), action)
            yield raw_record(
                uid=sample.uid,
                vid=sample.vid,
                frame_idx=sample.frame_idx,
                true=true,
                rank=candidate.rank,
                mask_path=candidate.mask_name,
                raw_output=f"<s>{render_audit(said, 'dog', 'cat')}</s>",
                generated_ids=[rng.randrange(32_000) for _ in range(70)],
                shares=_drawn_shares(rng, said).as_record(),
                clip_distance=round(rng.random(), 4),
            )
    if count < most:
        raise ValueError(f"{root}: expected {most} masks, got {count}")


def _drawn_shares(rng: random.Random, said: Audit) -> Shares:
    form = FORMS.index((said.mask_type, said.action))
    written = f"{round(said.iou * 10_000):05d}"
    return Shares(
        forms=_chances(rng, len(FORMS), form),
        form=form,
        types=_chances(rng, len(PAPER_TYPES), PAPER_TYPES.index(said.mask_type)),
        actions=_chances(rng, len(ACTIONS), ACTIONS.index(said.action)),
        digits=[_chances(rng, 10, int(digit)) for digit in written],
        written=written,
    )


def _chances(rng: random.Random, count: int, likeliest: int) -> Sequence[float]:
    parts = [rng.random() for _ in range(count)]
    parts[likeliest] += count
    return [part / sum(parts) for part in parts]
