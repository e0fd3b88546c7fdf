"""Audits of masks of one's own (`scripts.audit`), read as the audits of a run without ground truth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from dataset.benchmark.samples import AuditSample, Candidate
from utils.audit import Audit, parse_audit
from utils.prediction import Prediction
from utils.text_files import parsed_json, read_text

AUDITS = "audits.jsonl"  # as `scripts.own_masks.outputs` writes it
UNKNOWN = Audit(None, None, None)
AUDIT_KEYS = ("mask", "mask_path", "expression", "clip", "frame", "frame_path", "video_paths", "audio_path", "shown")
AUDIT_KEYS += ("mask_type", "iou", "action", "certainty", "belief", "contradictions", "clip_distance")
AUDIT_KEYS += ("unlike_training", "text", "raw_output", "generated_ids", "shares")  # all others were carried through
_TEXTS = ("mask", "mask_path", "expression", "frame_path", "audio_path", "clip", "raw_output")


def read_own_audits(path: Path) -> Iterator[tuple[Prediction, AuditSample, Candidate, dict]]:
    """Each audit with the media of its mask and what its job carried through.

    A mask is named by `mask`, so that runs in other folders have the same.
    Raises ValueError naming the line that is no such audit, and FileNotFoundError.
    """
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if line.strip():
            yield _read(parsed_json(line, f"{path} line {number}"), f"{path} line {number}")


def _read(row: object, where: str) -> tuple[Prediction, AuditSample, Candidate, dict]:
    if not isinstance(row, dict) or not _is_audit(row):
        got = json.dumps(row)[:80]
        raise ValueError(f"{where}: expected an audit as scripts.audit writes it, with {', '.join(_TEXTS)}, got {got}")
    sample = AuditSample(
        uid=row["mask"],
        vid=row["clip"],
        expression=row["expression"],
        frame_idx=row["frame"],
        frame_path=Path(row["frame_path"]),
        video_paths=tuple(map(Path, row["video_paths"])),
        audio_path=Path(row["audio_path"]),
        candidates=(),
        protocol="image",
    )
    prediction = Prediction(
        uid=row["mask"],
        true=UNKNOWN,
        said=parse_audit(row["raw_output"]),
        raw_output=row["raw_output"],
        vid=row["clip"],
        frame_idx=row["frame"],
        mask_path=row["mask"],
        generated_ids=row.get("generated_ids"),
        shares=row["shares"],
        clip_distance=row.get("clip_distance"),
    )
    carried = {key: value for key, value in row.items() if key not in AUDIT_KEYS}
    return prediction, sample, Candidate(Path(row["mask_path"]), row["mask"], UNKNOWN), carried


def _is_audit(row: dict) -> bool:
    frames = row.get("video_paths")
    return (
        all(isinstance(row.get(name), str) for name in _TEXTS)
        and isinstance(row.get("frame"), int)
        and isinstance(frames, list)
        and bool(frames)
        and all(isinstance(path, str) for path in frames)
        and isinstance(row.get("shares"), dict)
        and isinstance(row.get("clip_distance"), (int, float, type(None)))
    )
