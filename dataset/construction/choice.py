"""Chooses the referrals of a benchmark, checks their files, and replaces those that cannot be used."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from tqdm import tqdm

from dataset.benchmark.samples import Problem
from dataset.benchmark.uids import vid_of
from dataset.construction.plan import Areas, Sizes, object_areas
from dataset.construction.referrals import Referral
from dataset.construction.selection import select_referrals
from dataset.construction.source import RefAVSBench


@dataclass
class Choice:
    """Referrals with usable files and a visible target, and what was found out on the way."""

    referrals: list[Referral] = field(default_factory=list)
    areas: dict[str, Areas] = field(default_factory=dict)  # vid -> areas of its objects, for every video that was read
    problems: list[Problem] = field(default_factory=list)  # of files; all referrals of such a video are left out
    hidden: dict[str, list[str]] = field(default_factory=dict)  # reason -> uids of referrals with an invisible target


def choose_referrals(
    source: RefAVSBench, sizes: Sizes, seed: int, key_frames_given: bool, num_threads: int, replace_bad: bool
) -> Choice:
    """The referrals of all three splits for a benchmark of these sizes.

    Referrals whose target is invisible are always replaced. Those with unusable files are replaced if `replace_bad`;
    otherwise the first problems end the search, and `Choice.problems` says what they are.
    """
    choice, pool = Choice(), list(source.referrals)
    while True:
        choice.referrals = _select(pool, sizes, seed)
        new = [referral for referral in choice.referrals if referral.vid not in choice.areas]
        problems = source.problems(new, num_threads)
        bad = {referral.vid for referral in new} & {vid_of(problem.uid) for problem in problems}
        choice.problems += problems
        if bad and not replace_bad:
            return choice
        choice.areas |= _areas(source, [r.vid for r in new if r.vid not in bad], num_threads)
        hidden = set()
        for referral in choice.referrals:
            reason = None if referral.vid in bad else _hidden(referral, choice, key_frames_given)
            if reason:
                hidden.add(referral)
                choice.hidden.setdefault(reason, []).append(referral.uid)
        if not bad and not hidden:
            return choice
        pool = [referral for referral in pool if referral.vid not in bad and referral not in hidden]


def _select(pool: list[Referral], sizes: Sizes, seed: int) -> list[Referral]:
    chosen = []
    for split, num_videos in sizes.num_videos.items():
        per_video = sizes.train_per_video if split == "train" else sizes.test_per_video
        chosen += select_referrals(pool, split, per_video, num_videos, seed)
    return chosen


def _areas(source: RefAVSBench, vids: list[str], num_threads: int) -> dict[str, Areas]:
    vids = list(dict.fromkeys(vids))
    with ThreadPoolExecutor(num_threads) as pool:
        areas = pool.map(partial(object_areas, source), vids)
        bar = tqdm(areas, total=len(vids), desc="looking for key frames", unit="video", disable=not vids)
        return dict(zip(vids, bar, strict=True))


def _hidden(referral: Referral, choice: Choice, key_frames_given: bool) -> str | None:
    """The reason why no mask can be made for this referral; None if one can."""
    target = choice.areas[referral.vid][referral.fid]
    if key_frames_given and referral.kfid is not None:
        return None if target[referral.kfid] else "the target is not in the given key frame"
    return None if any(target) else "the target is in none of the ten frames"
