"""Which masks of finished audits are flagged, why, and in which order people get them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from configs.worklist import LEAST_CERTAIN, Flags, Policy
from scripts.flagged.marks import AGAIN, RIGHT, WRONG
from scripts.reporting.audits import RunResults, Shown, mask_key, shown_audits
from utils.audit import ACTIONS
from utils.certainty.belief import Belief, belief_of
from utils.certainty.contradictions import contradictions
from utils.certainty.known_clips import is_unlike
from utils.certainty.shares import Shares
from utils.certainty.stored import scaling_of
from utils.mask_types import PAPER_TYPES

MARK_REASONS = {WRONG: "marked as wrong", AGAIN: "marked to look at again"}
_MARK_ORDER = {WRONG: 0, AGAIN: 1}


@dataclass(frozen=True)
class Flagged:
    """A mask with the reasons why it is in the list; without any it is not. mark: of a person, or None."""

    audit: Shown
    belief: Belief | None
    mark: str | None = None
    reasons: tuple[str, ...] = ()

    @property
    def quality(self) -> float | None:
        """The expected IoU; of an audit without probabilities the written one; None where neither could be read."""
        expected = self.belief.iou if self.belief else None
        return self.audit.prediction.said.iou if expected is None else expected

    @property
    def certainty(self) -> float | None:
        """The probability of the likeliest type; None for an audit without probabilities."""
        return self.belief and self.belief.certainty

    @property
    def confidence(self) -> float | None:
        """The probability of the type that was written, which need not be the likeliest; None as `certainty`, or where
        the type could not be read."""
        return self.belief and self.belief.types.get(self.audit.prediction.said.mask_type)


def judged(runs: Iterable[RunResults], flags: Flags, marks: Mapping[tuple, str]) -> list[Flagged]:
    """Every audit of the runs with its reasons. Raises ValueError as `shown_audits`."""
    return [
        _judge(audit, belief_of(Shares.from_record(shares), scaling) if shares else None, flags, marks)
        for run in runs
        for scaling in (scaling_of(run.calibration),)
        for audit in shown_audits(run)
        for shares in (audit.prediction.shares,)
    ]


def in_order(found: Sequence[Flagged], policy: Policy) -> list[Flagged]:
    """Those with reasons, marked ones first, then as the policy says; of audits that ask the same the first one."""
    place = _by_certainty if policy.first == LEAST_CERTAIN else _by_quality
    wanted = sorted((one for one in found if one.reasons), key=lambda one: (_MARK_ORDER.get(one.mark, 2), *place(one)))
    once: dict[tuple, Flagged] = {}
    for one in wanted:
        sample = one.audit.sample
        once.setdefault((one.audit.candidate.mask_path, sample.frame_path, sample.expression), one)
    return list(once.values())


def _by_quality(one: Flagged) -> tuple[float, float]:
    return _or_least(one.quality), _or_least(one.certainty)


def _by_certainty(one: Flagged) -> tuple[float, float]:
    return _or_least(one.certainty), _or_least(one.quality)


def _or_least(value: float | None) -> float:
    return -1.0 if value is None else value


def _judge(audit: Shown, belief: Belief | None, flags: Flags, marks: Mapping[tuple, str]) -> Flagged:
    mark = marks.get(mask_key(audit.prediction))
    plain = Flagged(audit, belief, mark)
    reasons = () if mark == RIGHT else tuple(_reasons(plain, flags))
    return Flagged(audit, belief, mark, reasons)


def _reasons(one: Flagged, flags: Flags) -> Iterable[str]:
    """Short texts that are the same for all masks with this reason, so that they can be counted."""
    said = one.audit.prediction.said
    if one.mark in MARK_REASONS:
        yield MARK_REASONS[one.mark]
    if flags.unreadable and not (said.mask_type in PAPER_TYPES and said.action in ACTIONS and said.iou is not None):
        yield "not readable"
    if one.quality is not None and one.quality < flags.expected_iou_below:
        yield f"expected IoU under {flags.expected_iou_below:g}"
    if one.certainty is not None and one.certainty < flags.certainty_below:
        yield f"certainty under {flags.certainty_below:g}"
    if said.mask_type in flags.types:
        yield f"type {said.mask_type}"
    if said.action in flags.actions:
        yield f"action {said.action}"
    if flags.contradictions and contradictions(said):
        yield "contradiction"
    if flags.unlike_training and is_unlike(one.audit.prediction.clip_distance):
        yield "clip unlike training's"
