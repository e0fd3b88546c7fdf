"""The parts of MQ-RAVSBench: their splits, protocols, file names and names on a page."""

from __future__ import annotations

import random
from collections.abc import Iterable

TRAIN = "train"
TEST_NAMES = ("test_s", "test_u")  # seen and unseen object categories
SPLITS = (TRAIN, *TEST_NAMES)
EVAL_MODES = ("image", "video")
TEST_LETTERS = {"test_s": "S", "test_u": "U"}  # in the paper's tables
# Name of a part: its split and its protocol.
PARTS = {TRAIN: (TRAIN, TRAIN)} | {f"{mode}/{name}": (name, mode) for mode in EVAL_MODES for name in TEST_NAMES}


def parts_of_mode(mode: str) -> list[str]:
    """The parts of one eval mode, e.g. ["image/test_s", "image/test_u"]."""
    return [part for part, (_, protocol) in PARTS.items() if protocol == mode]


def split_file_name(split: str, protocol: str) -> str:
    """train_audit_only_filtered.json, test_s_image_filtered.json, ..."""
    return "train_audit_only_filtered.json" if protocol == TRAIN else f"{split}_{protocol}_filtered.json"


def part_file_name(part: str) -> str:
    """Of "image/test_s": test_s_image_filtered.json."""
    return split_file_name(*PARTS[part])


def videos_by_seed(videos: Iterable, most: int, seed: int = 0) -> set:
    """At most `most` of the videos, drawn by the seed, whatever their order; all of them if `most` is 0."""
    known = sorted(set(videos), key=str)
    return set(random.Random(seed).sample(known, most)) if 0 < most < len(known) else set(known)
