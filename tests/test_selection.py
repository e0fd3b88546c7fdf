"""Which expressions and videos a benchmark takes: balanced, the same for the same seed, whatever the file's order."""

import random
from collections import Counter
from pathlib import Path

import pytest

from dataset.construction.referrals import Referral, read_referrals
from dataset.construction.selection import pick_video_mode, select_referrals, template

REAL_METADATA = Path(__file__).parents[2] / "shared" / "real_media" / "ref_avsbench_metadata.csv"


def referral(vid: str, name: str, number: int = 1, fid: int = 0, text: str = "the one", split="test_s") -> Referral:
    return Referral(vid, f"{vid}_{name}_{number}", split, fid, text)


def pool(num_videos: int, seed: int = 0) -> list[Referral]:
    """Videos with one to four objects, three expressions about each; cats are everywhere."""
    rng = random.Random(seed)
    found = []
    for video in range(num_videos):
        names = ["cat", *rng.sample(["dog", "bird", "car", "tuba"], rng.randrange(4))]
        found += [
            referral(f"v{video}", name, number, fid, rng.choice(["the loud one", "the quiet one", "what is left"]))
            for fid, name in enumerate(names)
            for number in (1, 2, 3)
        ]
    return found


def test_expressions_of_one_video_are_about_different_objects():
    chosen = select_referrals(pool(50), "test_s", per_video=2)
    objects = [(r.vid, r.fid) for r in chosen]
    num_objects = Counter(vid for vid, _ in {(r.vid, r.fid) for r in pool(50)})
    assert len(set(objects)) == len(objects)
    assert Counter(r.vid for r in chosen) == {vid: min(2, count) for vid, count in num_objects.items()}


@pytest.mark.parametrize("num_videos", [0, 20])
def test_file_order_does_not_matter_but_the_seed_does(num_videos):
    found = pool(60)
    chosen = select_referrals(found, "test_s", 2, num_videos, seed=3)
    for order in range(5):
        shuffled = random.Random(order).sample(found, len(found))
        assert select_referrals(shuffled, "test_s", 2, num_videos, seed=3) == chosen
    assert select_referrals(found, "test_s", 2, num_videos, seed=4) != chosen
    assert len({r.vid for r in chosen}) == (num_videos or 60)


def test_categories_are_balanced():
    """Cats are in every video, but a video that has another object too need not be a cat's."""
    found = pool(200)
    counts = Counter(r.target_object for r in select_referrals(found, "test_s", 1, num_videos=50))
    assert counts == dict.fromkeys(("cat", "dog", "bird", "car", "tuba"), 10)


def test_templates_are_balanced_where_the_category_leaves_a_choice():
    found = [referral(f"v{i}", "cat", n, 0, text) for i in range(30) for n, text in enumerate("abc")]
    assert set(Counter(r.expression for r in select_referrals(found, "test_s", 1)).values()) == {10}


def test_other_splits_are_not_looked_at():
    found = [referral("a", "cat", split="train"), referral("b", "cat")]
    assert select_referrals(found, "train", 1) == found[:1]
    assert select_referrals(found, "test_u", 1) == []
    assert select_referrals(found, "test_s", 2, num_videos=9) == found[1:]


def test_templates():
    assert template(referral("v", "cat", text="The cat making a sound.")) == "the object making a sound"
    assert template(referral("v", "hair-dryer", text="The  hair dryer on the left")) == "the object on the left"
    assert template(referral("v", "cat", text="The cattle")) == "the cattle"


def test_video_mode_takes_whole_targets_first():
    found = pool(30)
    whole = {r.uid for r in found if r.vid in {f"v{i}" for i in range(8)} and r.fid == 0}
    chosen = pick_video_mode(found, 12, 0, lambda r: r.uid in whole)
    assert len({r.vid for r in chosen}) == len(chosen) == 12
    assert {r.vid for r in chosen if r.uid in whole} == {f"v{i}" for i in range(8)}
    shuffled = random.Random(1).sample(found, len(found))
    assert pick_video_mode(shuffled, 12, 0, lambda r: r.uid in whole) == chosen
    assert pick_video_mode(found, 12, 1, lambda r: r.uid in whole) != chosen


def test_video_mode_asks_no_more_than_it_needs():
    asked = []
    chosen = pick_video_mode(pool(30), 5, 0, lambda r: asked.append(r.uid) or True)
    assert len(chosen) == len(asked) == 5
    assert pick_video_mode(pool(30), 0, 0, lambda r: False) == []


@pytest.mark.skipif(not REAL_METADATA.is_file(), reason="the real metadata is not here")
def test_the_real_metadata_gives_a_benchmark_like_the_published_one():
    """Published: 1,306 training videos; 437 expressions about 269 seen and 303 about 265 unseen test videos."""
    referrals = read_referrals(REAL_METADATA).referrals
    train = select_referrals(referrals, "train", 1, 1306)
    seen, unseen = (select_referrals(referrals, split, 2) for split in ("test_s", "test_u"))
    assert len(train) == len({r.vid for r in train}) == 1306
    assert (len(seen), len({r.vid for r in seen})) == (446, 273)
    assert (len(unseen), len({r.vid for r in unseen})) == (322, 269)
    categories = Counter(r.target_object for r in train)
    assert len(categories) == 38
    assert max(categories.values()) <= 2 * 1306 / len(categories)
