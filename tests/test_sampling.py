"""Which mask comes when: the golden counts, and what makes a run resumable."""

import random
from collections import Counter
from pathlib import Path

import pytest

from dataset.batches.sampling import BalancedSampler, perfect_quota, select_candidates, split_train
from dataset.benchmark.samples import AuditSample, Candidate
from tests.conftest import golden_json
from utils.audit import Audit

GOLDEN_SELECTION = golden_json("08_collator_selection.json")


@pytest.mark.parametrize("row", GOLDEN_SELECTION["rows"], ids=lambda r: f"{r['batch']}-{r['pos_ratio']}-{list(r)[2]}")
def test_perfect_counts(row):
    types = GOLDEN_SELECTION["candidate_types_per_sample"][row["batch"]]
    for seed in range(5):
        chosen = select_candidates(types, perfect_quota(len(types), row["pos_ratio"]), random.Random(seed))
        names = ["" if i is None else types[s][i] for s, i in enumerate(chosen)]
        assert names.count("perfect") == row["perfect_count"]
        assert [name == "" for name in names] == [not t for t in types]


def test_negatives_are_drawn_by_type_then_item():
    types = [["perfect", *["cutout"] * 8, "merge"]]
    drawn = Counter(types[0][select_candidates(types, 0, random.Random(s))[0]] for s in range(2000))
    assert 900 < drawn["merge"] < 1100  # uniform over types, although there are eight times as many cutouts


def _samples(num: int) -> list[AuditSample]:
    masks = tuple(
        Candidate(Path(f"{kind}.png"), f"{kind}.png", Audit(kind, 0.5, None))
        for kind in ("perfect", "cutout", "merge", "full_neg")
    )
    here = Path()
    return [AuditSample(str(i), "v", "e", 0, here, (), here, masks, "train") for i in range(num)]


def test_every_mini_batch_has_its_quota_anywhere():
    sampler = BalancedSampler(_samples(40), batch_size=4, pos_ratio=0.5, seed=3)
    places = Counter()
    for epoch in range(20):
        sampler.set_epoch(epoch)
        pairs = list(sampler)
        assert sorted(sample for sample, _ in pairs) == list(range(40))
        for start in range(0, 40, 4):
            positives = [i for i, (_, candidate) in enumerate(pairs[start : start + 4]) if candidate == 0]
            assert len(positives) == 2
            places.update(positives)
    assert min(places[i] for i in range(4)) > 70  # 400 positives over 4 places


def test_a_share_that_does_not_divide_a_mini_batch_is_met_over_several():
    pairs = list(BalancedSampler(_samples(40), batch_size=8, pos_ratio=0.3, seed=3))
    assert [sum(mask == 0 for _, mask in pairs[start : start + 8]) for start in range(0, 40, 8)] == [2, 3, 2, 3, 2]


def test_order_depends_on_seed_and_epoch_only():
    samples = _samples(30)
    first, again = (BalancedSampler(samples, 4, 0.5, seed=1) for _ in range(2))
    first.set_epoch(7)
    list(again)
    random.seed(5)
    again.set_epoch(7)
    assert list(first) == list(again)
    again.set_epoch(8)
    assert list(first) != list(again)
    assert list(first) != list(BalancedSampler(samples, 4, 0.5, seed=2))


def test_split_holds_out_first_and_nests_fractions():
    samples = _samples(100)
    everything, nothing = split_train(samples, 1.0, 0.0, seed=0)
    assert len(everything) == 100 and not nothing
    half, held = split_train(samples, 0.5, 0.1, seed=0)
    quarter, held_again = split_train(samples, 0.25, 0.1, seed=0)
    assert len(held) == 10 and held == held_again
    assert len(half) == 45 and len(quarter) == 22
    assert {s.uid for s in quarter} < {s.uid for s in half}
    assert not {s.uid for s in half} & {s.uid for s in held}


def test_several_masks_of_a_video_stand_in_one_mini_batch():
    samples = _samples(12)
    pairs = list(BalancedSampler(samples, 8, 0.25, seed=1, masks_per_video=4))
    assert len(pairs) == 48
    for start in range(0, 48, 8):
        batch = pairs[start : start + 8]
        assert sorted(Counter(video for video, _ in batch).values()) == [4, 4]
        positives = [video for video, mask in batch if samples[video].candidates[mask].audit.mask_type == "perfect"]
        assert len(positives) == 2 and len(set(positives)) == 2
