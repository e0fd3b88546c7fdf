"""Chooses expressions and videos for a benchmark so that object categories and templates are balanced (paper Sec. 3.1).

The choice depends on the seed and on the content of the referrals, not on their order in a file.
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
    """At most `per_video` expressions about each of at most `num_videos` videos (0: all) of a split, sorted by uid.

    Expressions about one video are about different objects. This fits the paper's numbers: its 269 seen test videos
    have 437 expressions, and 174 of the source's 273 videos show more than one object. The next expression is one of
    the object category that was used least so far; then the template used least counts, then chance.
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
    """One referral for each of at most `num_videos` videos, sorted by uid, for audits of all ten frames.

    Videos are taken in random order. Those with a referral for which `is_whole` is true are preferred.
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
    """Greedy choice of one referral from each of at most `limit` videos. Adds the choice to both counters."""
    patterns = [template(referral) for referral in referrals]
    chances = [_chance(seed, referral.uid) for referral in referrals]

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
        current = priority(position)
        if current > known:  # others of its category or template were taken in the meantime
            heapq.heappush(queue, (current, position))
            continue
        taken[referral.vid] = referral
        categories[referral.target_object] += 1
        templates[patterns[position]] += 1
    return list(taken.values())


def _chance(seed: int, name: str) -> bytes:
    """A sort key that looks random. The same seed and name give the same key on every machine."""
    return hashlib.sha256(f"{seed}:{name}".encode()).digest()
