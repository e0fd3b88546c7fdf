"""The record of one answer, and what names its mask."""

from __future__ import annotations

from scripts.answering.answerer import AuditRequest, Reply
from utils.records import raw_record

_REPLY = ("raw_output", "generated_ids", "shares", "clip_distance")  # the fields of a record that make a Reply


def mask_identity(request: AuditRequest) -> tuple:
    """As `utils.answer_log.identity` of its record."""
    sample, candidate = request.sample, request.candidate
    return sample.uid, sample.frame_idx, candidate.mask_name, candidate.rank


def record_of(request: AuditRequest, reply: Reply) -> dict:
    """The record of one answer, with the ground truth of its mask."""
    sample, candidate = request.sample, request.candidate
    return raw_record(
        uid=sample.uid,
        vid=sample.vid,
        frame_idx=sample.frame_idx,
        true=candidate.audit,
        rank=candidate.rank,
        mask_path=candidate.mask_name,
        raw_output=reply.text,
        generated_ids=reply.generated_ids,
        shares=reply.shares,
        clip_distance=reply.clip_distance,
    )


def reply_of(record: dict) -> Reply:
    """The answer that a record holds."""
    return Reply(*map(record.get, _REPLY))
