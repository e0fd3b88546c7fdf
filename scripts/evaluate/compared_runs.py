"""Finished runs of any auditor, read for a comparison: the same masks in the same order, or an error."""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from scripts.baselines.kept import FILE_NAME, PROBED, read_rows
from utils.certainty.expected import EXPECTED, WRITTEN, calibration_of_run, with_expected_ious
from utils.certainty.stored import scaling_of
from utils.prediction import Prediction
from utils.reading.reply import STRICT
from utils.records import read_predictions
from utils.scores.counts import mean
from utils.splits import videos_by_seed

logger = logging.getLogger("compare")
PREDICTIONS = re.compile(r"predictions_(image|video)_mask-.*\.jsonl")
Identity = tuple


@dataclass
class ComparedRun:
    """A run: its predictions, how they were read, its settings (run.json), and its replies where an API gave them."""

    name: str
    predictions: list[Prediction]
    eval_mode: str
    reader: str = STRICT
    settings: dict = field(default_factory=dict)
    replies: dict[Identity, list[dict]] = field(default_factory=dict)

    @property
    def not_taken(self) -> list[str]:
        """Media that the model did not get, or that its server dropped."""
        sent = self.settings.get("media")
        dropped = (self.settings.get("probe") or {}).get("dropped", [])
        if sent is None:
            return []
        return [one for one in ("sound", "video", "frame", "mask") if one not in sent or one in dropped]


def identity(prediction: Prediction) -> Identity:
    """What names a mask: masks of several frames or ranks may share a file."""
    return str(prediction.uid), str(prediction.frame_idx), prediction.mask_path, prediction.rank


def read_run(text: str, level: str | None = None, iou: str = WRITTEN) -> ComparedRun:
    """`text`: the folder of a run or a file of predictions, perhaps with a name in front: NAME=PATH.

    `level`: how its replies are read; None: as the run has read them. `iou`: which one counts. Raises ValueError, see
    `read_predictions` and `with_expected_ious`.
    """
    name, is_named, path = text.partition("=")
    path = Path(path if is_named else text)
    file = _predictions_file(path)
    record = file.with_name("run.json")
    settings = json.loads(record.read_text(encoding="utf-8"))["settings"] if record.is_file() else {}
    reader = level or settings.get("level") or STRICT
    replies: dict[Identity, list[dict]] = {}
    for row in read_rows(file.with_name(FILE_NAME)):
        if row["outcome"] != PROBED:
            mask = str(row.get("uid")), str(row.get("frame_idx")), row.get("mask_path"), row.get("rank")
            replies.setdefault(mask, []).append(row)
    mode = PREDICTIONS.fullmatch(file.name)
    eval_mode = mode[1] if mode else settings.get("eval_mode", "image")
    shown = name if is_named else settings.get("model") or file.parent.parent.name or file.stem
    predictions = read_predictions(file, reader)
    if iou == EXPECTED:
        predictions = list(with_expected_ious(predictions, scaling_of(calibration_of_run(file)), file))
    return ComparedRun(shown, predictions, eval_mode, reader, settings, replies)


def _predictions_file(path: Path) -> Path:
    if not path.is_dir():
        return path
    found = sorted(one for one in path.iterdir() if PREDICTIONS.fullmatch(one.name))
    if len(found) != 1:
        raise ValueError(f"{path}: expected one file predictions_*.jsonl, got {len(found)} (name the run's own folder)")
    return found[0]


def on_the_same_masks(runs: Sequence[ComparedRun], common: bool) -> list[ComparedRun]:
    """The runs with their masks in the order of the first one; `common`: with the masks that all of them have.

    Raises ValueError for runs on other masks, for other truths of the same mask, and for names that come twice.
    """
    if double := [name for name, count in Counter(run.name for run in runs).items() if count > 1]:
        raise ValueError(f"{double[0]}: expected another name for each run, got it twice (write NAME=FOLDER)")
    if len({run.eval_mode for run in runs}) > 1:
        raise ValueError("expected runs in one mode, got image and video")
    tables = [_by_identity(run) for run in runs]
    shared = [mask for mask in tables[0] if all(mask in table for table in tables)]
    for run, table in zip(runs, tables, strict=True):
        if len(table) != len(shared) and not common:
            got = f"{len(table)} masks, of which {len(shared)} are in all of them (--common compares these)"
            raise ValueError(f"{run.name}: expected the same masks for all runs, got {got}")
    if not shared:
        raise ValueError("expected masks that all runs have, got none")
    if any(len(table) != len(shared) for table in tables):
        logger.warning("compared on the %d masks that all runs have", len(shared))
    _check_truth(runs, tables, shared)
    return [replace(run, predictions=[table[mask] for mask in shared]) for run, table in zip(runs, tables, strict=True)]


def only_videos(runs: Sequence[ComparedRun], most: int, seed: int) -> list[ComparedRun]:
    """The runs with the masks of at most `most` videos, all of them; 0: no limit."""
    chosen = videos_by_seed([p.vid for p in runs[0].predictions], most, seed)
    return [replace(run, predictions=[p for p in run.predictions if p.vid in chosen]) for run in runs]


def _by_identity(run: ComparedRun) -> dict[Identity, Prediction]:
    table: dict[Identity, Prediction] = {}
    for prediction in run.predictions:
        mask = identity(prediction)
        if mask in table:
            raise ValueError(f"{run.name}: expected each mask once, got {mask[2] or mask[0]} twice")
        table[mask] = prediction
    return table


def _check_truth(runs: Sequence[ComparedRun], tables: Sequence[Mapping], masks: Sequence[Identity]) -> None:
    for run, table in zip(runs[1:], tables[1:], strict=True):
        for mask in masks:
            if table[mask].true != tables[0][mask].true:
                got = f"{tables[0][mask].true} and {table[mask].true}"
                raise ValueError(f"{run.name}: expected the same truth of {mask[2] or mask[0]} in all runs, got {got}")


def reply_figures(run: ComparedRun) -> dict:
    """Counts of replies by kind, and means over them: seconds, tokens in, out and thought; USD for 1,000 audits; the
    most memory that a local model has taken, in GB.

    Masks whose questions are the same share a reply. Empty for a run without kept replies.
    """
    rows = [row for p in run.predictions if (row := _reply_of(run, p))]
    if not rows:
        return {}
    tokens = {
        name: mean(value for row in rows if (value := row["usage"].get(name)) is not None)
        for name in ("input", "output", "thought", "cached")
    }
    price = mean(row.get("price") or 0.0 for row in rows)
    figures = {"replies": dict(Counter(row["outcome"] for row in rows)), "seconds": mean(r["seconds"] for r in rows)}
    memory = max((row["memory_gb"] for row in rows if row.get("memory_gb")), default=None)
    return figures | {"tokens": tokens, "usd_for_1000": 1000 * price if price else None, "memory_gb": memory}


def _reply_of(run: ComparedRun, prediction: Prediction) -> dict | None:
    """The last reply about a mask with the text that was scored: it may have been asked with other settings, too."""
    rows = run.replies.get(identity(prediction), [])
    return next((row for row in reversed(rows) if row.get("text") == prediction.raw_output), rows[-1] if rows else None)
