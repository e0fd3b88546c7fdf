"""Which expressions and which videos a benchmark takes: a balance of videos, object categories and templates.

Paper Sec. 3.1. The choice depends on the seed and on what the referrals say, not on their order in a file.
"""

from __future__ import annotations

import hashlib
import heapq
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

from dataset.construction.referrals import Referral


def select_referrals(
    referrals: Iterable[Referral], split: str, per_video: int, num_videos: int = 0, seed: int = 0
) -> list[Referral]:
    """At most `per_video` expressions about each of at most `num_videos` videos (0: all) of a split, by uid.

    Expressions of one video are about different objects, as the paper's numbers say: its 269 seen test videos have
    437 expressions, and 174 of the source's 273 show more than one object. Among what may come next, the category
    used least so far wins, then the template used least, then chance.
    """
    left = [referral for referral in referrals if referral.split == split]
    chosen: list[Referral] = []
    categories, templates = Counter(), Counter()
    for turn in range(per_video):
        limit = num_videos if turn == 0 and num_videos else len(left)
        taken = _one_per_video(left, limit, categories, templates, seed)
        chosen += taken
        videos = {referral.vid for referral in chosen}
        objects = {(referral.vid, referral.fid) for referral in chosen}
        left = [r for r in left if r.vid in videos and (r.vid, r.fid) not in objects]
    return sorted(chosen, key=lambda referral: referral.uid)


def pick_video_mode(
    referrals: Iterable[Referral], num_videos: int, seed: int, is_whole: Callable[[Referral], bool]
) -> list[Referral]:
    """One referral for each of at most `num_videos` videos, by uid, for the audits of all ten frames.

    Videos come in an order of chance; those with a referral for which `is_whole` holds come first, for example because
    its target can be seen in every frame.
    """
    videos: dict[str, list[Referral]] = defaultdict(list)
    for referral in sorted(referrals, key=lambda referral: _chance(seed, referral.uid)):
        videos[referral.vid].append(referral)
    whole: list[Referral] = []
    partial: list[Referral] = []
    for vid in sorted(videos, key=lambda vid: _chance(seed, vid)):
        if len(whole) == num_videos:
            break
        found = next((referral for referral in videos[vid] if is_whole(referral)), None)
        (whole if found else partial).append(found or videos[vid][0])
    return sorted((whole + partial)[:num_videos], key=lambda referral: referral.uid)


def template(referral: Referral) -> str:
    """The expression as a pattern: "The cat making a sound." of a cat -> "the object making a sound"."""
    words = re.sub(r"[^\w\s-]", "", referral.expression.lower())
    name = re.escape(referral.target_object.lower()).replace(r"\-", "[- ]")
    return " ".join(re.sub(rf"\b{name}\b", "object", words).split())


def _one_per_video(
    referrals: list[Referral], limit: int, categories: Counter, templates: Counter, seed: int
) -> list[Referral]:
    """Greedy choice of one referral from each of at most `limit` videos; both counters are brought up to date."""

    patterns, chances = [template(r) for r in referrals], [_chance(seed, r.uid) for r in referrals]

    def priority(position: int) -> tuple:
        return categories[referrals[position].target_object], templates[patterns[position]], chances[position]

    queue = [(priority(position), position) for position in range(len(referrals))]
    heapq.heapify(queue)
    taken: dict[str, Referral] = {}
    while queue and len(taken) < limit:
        known, position = heapq.heappop(queue)
        referral = referrals[position]
        if referral.vid in taken:
            continue
        if (now := priority(position)) > known:  # others of its category or template were taken since
            heapq.heappush(queue, (now, position))
            continue
        taken[referral.vid] = referral
        categories[referral.target_object] += 1
        templates[patterns[position]] += 1
    return list(taken.values())


def _chance(seed: int, name: str) -> bytes:
    """A place in an order that looks random, and that is the same on every machine for the same seed."""
    return hashlib.sha256(f"{seed}:{name}".encode()).digest()
