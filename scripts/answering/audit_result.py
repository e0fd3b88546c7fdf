"""An answer as it is given to people: the audit, how sure it is, and its text."""

from __future__ import annotations

from dataclasses import dataclass

from models.weights.about import About
from scripts.answering.answerer import Reply
from utils.audit import Audit, parse_audit
from utils.certainty.belief import Belief, belief_of
from utils.certainty.contradictions import contradictions
from utils.certainty.known_clips import is_unlike
from utils.certainty.shares import Shares
from utils.certainty.stored import scaling_of
from utils.formatting import without_tags


@dataclass(frozen=True)
class AuditResult(Audit):
    """An audit and the answer that it was read from; a field that the answer did not give is None.

    text: the answer in plain words. raw_output, generated_ids: the same as the auditor wrote it, and as token ids.
    belief: how likely the auditor holds each type, action and IoU, with the auditor's calibration if it has one.
    shares: the record of `utils.certainty.shares.Shares`, from which a belief can be made again. clip_distance: how far
    the clip is from those of training; above 1 it is unlike all of them; None where the auditor's folder does not know
    them (docs/certainty.md).
    """

    text: str
    raw_output: str
    generated_ids: list[int]
    belief: Belief
    shares: dict
    clip_distance: float | None = None

    @property
    def is_unlike_training(self) -> bool:
        """Whether the clip is unlike those that the auditor was trained on: the audit is a guess then."""
        return is_unlike(self.clip_distance)


def cautions(result: AuditResult) -> list[str]:
    """What should make people doubt the audit, in sentences."""
    found = [f"the audit contradicts itself: {text}" for text in contradictions(result)]
    if result.is_unlike_training:
        times = f"{result.clip_distance:.1f} times as far from them as any of them"
        found.insert(0, f"the clip is unlike those that the auditor was trained on ({times}): a guess")
    return found


def result_of(reply: Reply, about: About) -> AuditResult:
    """The reply of an auditor whose folder says `about`."""
    said = parse_audit(reply.text)
    return AuditResult(
        mask_type=said.mask_type,
        iou=said.iou,
        action=said.action,
        text=without_tags(reply.text),
        raw_output=reply.text,
        generated_ids=reply.generated_ids,
        belief=belief_of(Shares.from_record(reply.shares), scaling_of(about.calibration)),
        shares=reply.shares,
        clip_distance=reply.clip_distance,
    )
