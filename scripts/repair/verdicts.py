"""The audits of a video's frames -> one verdict on the masks of the video."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from utils.audit import Audit, parse_audit, parse_objects
from utils.certainty.belief import belief_of
from utils.certainty.shares import Shares


@dataclass(frozen=True)
class FrameAudit:
    """The audit of the mask of one frame. `expected`: the expected IoU; `types`: type -> probability, if known."""

    frame: int
    text: str
    said: Audit
    expected: float
    target: str | None
    types: dict[str, float]


@dataclass(frozen=True)
class Verdict:
    """What the audits say of the masks of a video. `expected`: the average of the expected IoUs of its frames.

    `said`: type, IoU and action of the frame that speaks for all. `target`: the name of what is meant, if one is given.
    """

    said: Audit
    target: str | None
    expected: float
    frames: tuple[FrameAudit, ...]


def read_audit_of(frame: int, text: str, shares: dict | None, is_empty: bool) -> FrameAudit:
    """An answer as a frame's audit. Without probabilities, the IoU that is said is the one that is expected.

    Whatever is said of an empty mask, it overlaps with nothing.
    """
    said, types, expected = parse_audit(text), {}, None
    if shares is not None:
        belief = belief_of(Shares.from_record(shares))
        types, expected = belief.types, belief.iou
    if expected is None:
        expected = said.iou or 0.0
    return FrameAudit(frame, text, said, 0.0 if is_empty else expected, parse_objects(text).target, types)


def video_verdict(audits: Sequence[FrameAudit], rule: str) -> Verdict:
    """`rule`: majority, belief or worst. The first frame whose type is the video's speaks for it; its target is the
    one that most of these frames name. Raises ValueError without audits, and for another rule.
    """
    if not audits:
        raise ValueError("verdict: expected the audit of at least one frame, got none")
    speakers = _speakers(audits, rule)
    names = Counter(one.target for one in speakers if one.target) or Counter(a.target for a in audits if a.target)
    target = names.most_common(1)[0][0] if names else None
    expected = sum(one.expected for one in audits) / len(audits)
    return Verdict(speakers[0].said, target, expected, tuple(audits))


def _speakers(audits: Sequence[FrameAudit], rule: str) -> list[FrameAudit]:
    if rule == "worst":
        return [min(audits, key=lambda one: one.expected)]
    if rule == "majority":
        counts = Counter(one.said.mask_type for one in audits)
        most = max(counts.values())
        # of types that equally many frames have, that of the frame with the lowest expected IoU
        tied = [one for one in audits if counts[one.said.mask_type] == most]
        chosen = min(tied, key=lambda one: one.expected).said.mask_type
    elif rule == "belief":
        sums: dict[str, float] = defaultdict(float)
        for one in audits:
            for name, chance in (one.types or {one.said.mask_type: 1.0}).items():
                sums[name] += chance
        chosen = max(sums, key=sums.__getitem__)
    else:
        raise ValueError(f"rule: expected majority, belief or worst, got {rule!r}")
    return [one for one in audits if one.said.mask_type == chosen] or [min(audits, key=lambda one: one.expected)]
