"""What an audit of many masks writes: audits.jsonl with everything, audits.csv for people, and a line of counts."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from models.weights.about import About
from scripts.answering.audit_result import AuditResult
from scripts.own_masks.masks import Asked
from utils.certainty.contradictions import contradictions
from utils.formatting import one_line, plain_cell
from utils.whole_files import write_jsonl, write_text

RESULTS, TABLE = "audits.jsonl", "audits.csv"
MASKS, CLIPS = "masks", "clips"  # what was given as other files than pictures and sounds
ALL = (TABLE, "run.json", "report", MASKS, CLIPS, RESULTS)  # the results last: with them a run is a finished one
# Columns of the table, behind those that are carried through; a dot leads into an object.
COLUMNS = ("mask", "expression", "frame", "at", "mask_type", "iou", "action", "belief.iou", "certainty")
COLUMNS += ("likeliest_type", "clip_distance", "text")


def write_audits(folder: Path, asked: Sequence[Asked], results: Sequence[AuditResult], about: About) -> str:
    """Write both files; the counts as text."""
    audits = [audit_row(*one, folder) for one in zip(asked, results, strict=True)]
    carried = [_renamed(one.own.carried, audit) for one, audit in zip(asked, audits, strict=True)]
    write_jsonl(folder / RESULTS, (given | audit for given, audit in zip(carried, audits, strict=True)))
    write_text(folder / TABLE, _table(carried, audits))
    return _counts(audits, about)


def audit_row(asked: Asked, result: AuditResult, folder: Path) -> dict:
    """One line of audits.jsonl in the folder, without what is carried through.

    frame, at: the mask's frame or moment as its clip counts them. place: which of the ten that are shown it is. Paths
    are absolute, or relative to the folder if they lie in it.
    """
    sample, given, distance = asked.request.sample, asked.own.request, result.clip_distance
    return {
        "mask": asked.own.name,
        "mask_path": _stored(asked.request.candidate.mask_path, folder),
        "expression": sample.expression,
        "clip": str(given.video or given.frames),
        "frame": sample.frame_idx if given.frame is None and given.at is None else given.frame,
        "at": given.at,
        "place": sample.frame_idx,
        "frame_path": _stored(sample.frame_path, folder),
        "video_paths": [_stored(path, folder) for path in sample.video_paths],
        "audio_path": _stored(sample.audio_path, folder),
        "shown": asked.shown,
        "mask_type": result.mask_type,
        "iou": result.iou,
        "action": result.action,
        "certainty": round(result.belief.certainty, 4),
        "likeliest_type": result.belief.likeliest_type,
        "belief": result.belief.as_record(),
        "contradictions": contradictions(result),
        "clip_distance": distance,
        "unlike_training": None if distance is None else result.is_unlike_training,
        "text": result.text,
        "raw_output": result.raw_output,
        "generated_ids": result.generated_ids,
        "shares": result.shares,
    }


def _stored(path: Path, folder: Path) -> str:
    path, folder = path.absolute(), folder.absolute()
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)


def _renamed(carried: dict, audit: dict) -> dict:
    """What is carried through; a key that an audit has, too, gets job_ in front."""
    return {f"job_{key}" if key in audit else key: value for key, value in carried.items()}


def _table(carried: Sequence[dict], audits: Sequence[dict]) -> str:
    names = list(dict.fromkeys(key for given in carried for key in given))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*names, *(name.replace("belief.iou", "expected_iou") for name in COLUMNS)])
    for given, audit in zip(carried, audits, strict=True):
        cells = [*map(given.get, names), *(_looked_up(audit, name) for name in COLUMNS)]
        writer.writerow(["" if cell is None else plain_cell(cell) if isinstance(cell, str) else cell for cell in cells])
    return text.getvalue()


def _looked_up(row: dict, name: str) -> object:
    first, _, second = name.partition(".")
    return row[first][second] if second else row[first]


def _counts(rows: Sequence[dict], about: About) -> str:
    actions = Counter(row["action"] or "not readable" for row in rows)
    lines = [
        f"{len(rows):,} masks: " + ", ".join(f"{one_line(name)} {count:,}" for name, count in actions.most_common())
    ]
    if unlike := sum(bool(row["unlike_training"]) for row in rows):
        lines.append(
            f"CAREFUL: the clips of {unlike:,} masks are unlike those that the auditor was trained on: guesses"
        )
    if contradicting := sum(bool(row["contradictions"]) for row in rows):
        lines.append(f"{contradicting:,} audits contradict themselves")
    shown = Counter(row["shown"] for row in rows if row["shown"] != "all ten frames")
    lines += [f"shown for {count:,} masks: {what}" for what, count in shown.most_common(5)]
    return "\n".join([*lines, f"auditor: {one_line(about.line())}"])
