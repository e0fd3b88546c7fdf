"""The plan of a benchmark: its referrals and the frames of each. It is made before any mask is made, by `build`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace

import numpy as np

from dataset.construction.referrals import Referral
from dataset.construction.selection import pick_video_mode
from dataset.construction.source import RefAVSBench
from dataset.media.lengths import NUM_FRAMES
from utils.splits import SPLITS, TRAIN

Areas = dict[int, list[int]]  # fid -> pixels of that object in each of the ten frames


@dataclass(frozen=True)
class Sizes:
    """How many referrals a benchmark takes. The defaults are the paper's (Sec. 3.1, 3.3); 0 videos stands for all."""

    train_per_video: int = 1
    test_per_video: int = 2
    num_videos: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SPLITS, 0))
    video_mode: dict[str, int] = field(default_factory=lambda: {"test_s": 60, "test_u": 40})


@dataclass(frozen=True)
class Instance:
    """One referral under one protocol (train, image or video), and the frames for which masks are made."""

    referral: Referral
    protocol: str
    frames: tuple[int, ...]

    @classmethod
    def from_json(cls, value: dict) -> Instance:
        return cls(Referral(**value["referral"]), value["protocol"], tuple(value["frames"]))


@dataclass
class Plan:
    """The instances in the order of their referrals. `left_out`: reason -> uids; `notes`: sentences for the report."""

    instances: list[Instance] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict:
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict) -> Plan:
        return cls([Instance.from_json(instance) for instance in value["instances"]], value["left_out"], value["notes"])


def object_areas(source: RefAVSBench, vid: str) -> Areas:
    """How many pixels each ground-truth object of a video has in each of its ten frames."""
    areas: Areas = {}
    for frame in range(NUM_FRAMES):
        for fid, mask in source.read_masks(vid, frame).items():
            areas.setdefault(fid, []).append(int(np.count_nonzero(mask)))
    return areas


def count_visible(areas: Areas) -> list[int]:
    """How many ground-truth objects each of the ten frames shows."""
    return [sum(sizes[t] > 0 for sizes in areas.values()) for t in range(NUM_FRAMES)]


def key_frame(num_objects: list[int], target_areas: list[int]) -> int:
    """The frame with the most objects, among those that show the target (paper Sec. 3.3).

    If several have the most objects: the one with the largest target, then the earliest. At least one frame must show
    the target.
    """
    showing = [t for t in range(NUM_FRAMES) if target_areas[t]]
    return max(showing, key=lambda t: (num_objects[t], target_areas[t], -t))


def make_plan(
    referrals: Iterable[Referral],
    areas: dict[str, Areas],
    num_objects: Callable[[str], list[int]] | None,
    sizes: Sizes,
    seed: int,
) -> Plan:
    """One instance for each referral, at its key frame, and the instances of video mode.

    Each referral's target must be visible in some frame (see `choice`). `num_objects`: vid -> number of objects in each
    frame. If it is None, the key frames of metadata.csv are used; ValueError is raised where one is missing.
    """
    plan = Plan()
    for referral in referrals:
        target = areas[referral.vid][referral.fid]
        frame = referral.kfid if num_objects is None else key_frame(num_objects(referral.vid), target)
        if num_objects is None and frame is None:
            raise ValueError(f"{referral.uid}: expected a key frame in metadata.csv (column kfid), got none")
        protocol = TRAIN if referral.split == TRAIN else "image"
        plan.instances.append(Instance(replace(referral, kfid=frame), protocol, (frame,)))
    for split, num_videos in sizes.video_mode.items():
        _add_video_mode(plan, split, num_videos, areas, seed)
    return plan


def _add_video_mode(plan: Plan, split: str, num_videos: int, areas: dict[str, Areas], seed: int) -> None:
    """Add all ten frames of some videos whose target is visible in all of them.

    Videos in which every frame also shows another ground-truth object are preferred.
    """

    def seen_throughout(referral: Referral) -> bool:
        return all(areas[referral.vid][referral.fid])

    def with_another(referral: Referral) -> bool:
        return all(count > 1 for count in count_visible(areas[referral.vid]))

    referrals = [i.referral for i in plan.instances if i.referral.split == split and seen_throughout(i.referral)]
    picked = pick_video_mode(referrals, num_videos, seed, with_another)
    if len(picked) < num_videos and any(instance.referral.split == split for instance in plan.instances):
        plan.notes.append(
            f"video mode of {split}: {num_videos} videos asked for, {len(picked)} show a target in all ten frames"
        )
    plan.instances += [Instance(referral, "video", tuple(range(NUM_FRAMES))) for referral in picked]
