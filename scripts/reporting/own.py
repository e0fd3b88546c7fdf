"""Audits of masks of one's own (`scripts.audit`), read as the audits of a run without ground truth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from dataset.benchmark.samples import AuditSample, Candidate
from utils.audit import Audit, parse_audit
from utils.prediction import Prediction
from utils.text_files import parsed_json, read_text

AUDITS = "audits.jsonl"  # as `scripts.own_masks.outputs` writes it
UNKNOWN = Audit(None, None, None)
AUDIT_KEYS = ("mask", "mask_path", "expression", "clip", "frame", "at", "place", "frame_path", "video_paths")
AUDIT_KEYS += ("audio_path", "shown", "mask_type", "iou", "action", "certainty", "likeliest_type", "belief")
AUDIT_KEYS += ("contradictions", "clip_distance")
AUDIT_KEYS += ("unlike_training", "text", "raw_output", "generated_ids", "shares")  # all others were carried through
_TEXTS = ("mask", "mask_path", "expression", "frame_path", "audio_path", "clip", "raw_output")


class OwnAudit(NamedTuple):
    """An audit with the media of its mask. frame, at: the mask's frame or moment as its clip counts them; shown: which
    moments of the clip were shown, in words; carried: what its job carried through.
    """

    prediction: Prediction
    sample: AuditSample
    candidate: Candidate
    frame: int | None
    at: float | None
    shown: str | None
    carried: dict


def read_own_audits(path: Path) -> Iterator[OwnAudit]:
    """Each audit of the file.

    A mask is named by `mask`, so that runs in other folders have the same. Relative paths begin at the file's folder.
    Raises ValueError naming the line that is no such audit, and FileNotFoundError.
    """
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if line.strip():
            yield _read(parsed_json(line, f"{path} line {number}"), f"{path} line {number}", path.parent)


def _read(row: object, where: str, folder: Path) -> OwnAudit:
    if not isinstance(row, dict) or not _is_audit(row):
        got = json.dumps(row)[:80]
        raise ValueError(f"{where}: expected an audit as scripts.audit writes it, with {', '.join(_TEXTS)}, got {got}")
    place = row.get("place", row["frame"])
    sample = AuditSample(
        uid=row["mask"],
        vid=row["clip"],
        expression=row["expression"],
        frame_idx=place,
        frame_path=folder / row["frame_path"],
        video_paths=tuple(folder / path for path in row["video_paths"]),
        audio_path=folder / row["audio_path"],
        candidates=(),
        protocol="image",
    )
    prediction = Prediction(
        uid=row["mask"],
        true=UNKNOWN,
        said=parse_audit(row["raw_output"]),
        raw_output=row["raw_output"],
        vid=row["clip"],
        frame_idx=place,
        mask_path=row["mask"],
        generated_ids=row.get("generated_ids"),
        shares=row["shares"],
        clip_distance=row.get("clip_distance"),
    )
    carried = {key: value for key, value in row.items() if key not in AUDIT_KEYS}
    candidate = Candidate(folder / row["mask_path"], row["mask"], UNKNOWN)
    return OwnAudit(prediction, sample, candidate, row["frame"], row.get("at"), row.get("shown"), carried)


def _is_audit(row: dict) -> bool:
    frames = row.get("video_paths")
    return (
        all(isinstance(row.get(name), str) for name in _TEXTS)
        and isinstance(row.get("place", row.get("frame")), int)
        and isinstance(row.get("frame"), (int, type(None)))
        and isinstance(row.get("at"), (int, float, type(None)))
        and isinstance(row.get("shown"), (str, type(None)))
        and isinstance(frames, list)
        and bool(frames)
        and all(isinstance(path, str) for path in frames)
        and isinstance(row.get("shares"), dict)
        and isinstance(row.get("clip_distance"), (int, float, type(None)))
    )
