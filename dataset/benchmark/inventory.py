"""A whole benchmark: all its parts, one row for each mask, and a choice of instances to look at.

`annotations` knows the files of a part; `utils.scores.benchmark_tables` counts the rows.
"""

from __future__ import annotations

import random
from pathlib import Path

from dataset.benchmark.annotations import META_DIR, read_test, read_train
from dataset.benchmark.samples import AuditSample, Benchmark
from dataset.benchmark.uids import object_of
from utils.audit import normalize_action
from utils.splits import PARTS, TRAIN, part_file_name


def read_parts(root: Path) -> dict[str, Benchmark]:
    """The parts that have a split file. Raises FileNotFoundError when none has, ValueError for one that is no JSON."""
    if not root.is_dir():
        raise FileNotFoundError(f"benchmark folder {root}: no such folder")
    present = {name: part for name, part in PARTS.items() if (root / META_DIR / part_file_name(name)).is_file()}
    if not present:
        raise FileNotFoundError(f"{root / META_DIR}: expected a split file such as {part_file_name(TRAIN)}, got none")
    return {
        name: read_train(root) if protocol == TRAIN else read_test(root, split, protocol)
        for name, (split, protocol) in present.items()
    }


def mask_rows(parts: dict[str, Benchmark]) -> list[dict]:
    """One row for each mask, with the keys of `utils.scores.benchmark_tables.COLUMNS`."""
    return [
        {
            "part": part,
            "vid": sample.vid,
            "uid": sample.uid,
            "object": object_category(sample.uid),
            "mask_type": candidate.audit.mask_type,
            "rank": candidate.rank,
            "iou": candidate.audit.iou,
            "action": normalize_action(candidate.audit.action),
        }
        for part, benchmark in parts.items()
        for sample in benchmark.samples
        for candidate in sample.candidates
    ]


def object_category(uid: str) -> str:
    """The uid's second-last part: "<vid>_hair-dryer_2" -> "hair-dryer"; "(none)" for a uid without one."""
    name = object_of(uid)
    return "(none)" if name is None else name


def choose_instances(parts: dict[str, Benchmark], number: int, seed: int) -> list[tuple[str, AuditSample]]:
    """At most `number` (part, sample) pairs, from the parts in turn, one frame of each uid; the seed decides which."""
    queues = []
    for name, benchmark in parts.items():
        rng = random.Random(f"{seed} {name}")
        frames: dict[str, list[AuditSample]] = {}
        for sample in benchmark.samples:
            frames.setdefault(sample.uid, []).append(sample)
        uids = rng.sample(sorted(frames), min(number, len(frames)))
        queues.append([(name, rng.choice(frames[uid])) for uid in uids])
    in_turn = [queue[i] for i in range(number) for queue in queues if i < len(queue)]
    return in_turn[:number]
