"""Finished audits whose truth and whose probabilities are known."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from utils.audit import normalize_action
from utils.certainty.shares import FORMS, Shares
from utils.prediction import Prediction
from utils.records import read_predictions

logger = logging.getLogger("certainty")


@dataclass(frozen=True)
class KnownAudit:
    """One audit: what the auditor held likely, what it wrote, and what is true."""

    shares: Shares
    written: float | None
    said_type: str | None
    form: tuple[str, str]  # the true mask type and action
    iou: float
    vid: str


def read_known(run: str | Path) -> list[KnownAudit]:
    """The audits of a finished evaluation, with a warning if some lack probabilities or a truth that has a wording.

    Raises FileNotFoundError, and ValueError naming what is wrong.
    """
    path = predictions_file(Path(run))
    predictions = read_predictions(path)
    known = [audit for prediction in predictions if (audit := _known(prediction)) is not None]
    if not known:
        raise ValueError(f"{path}: expected audits with probabilities (shares), IoU and video of each mask, got none")
    if len(known) < len(predictions):
        left = len(predictions) - len(known)
        logger.warning("%s: %d of %d audits left out: no probabilities or truth", path, left, len(predictions))
    return known


def predictions_file(run: Path) -> Path:
    """The predictions of a run's folder, or the file itself. Raises FileNotFoundError, ValueError."""
    if run.is_file():
        return run
    if not run.is_dir():
        raise FileNotFoundError(f"{run}: no such folder of a finished evaluation")
    found = [path for path in sorted(run.glob("predictions_*.jsonl")) if "video_avg" not in path.name]
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise ValueError(f"{run}: expected one file predictions_*.jsonl of a finished evaluation, got {names}")
    return found[0]


def of_videos(audits: list[KnownAudit], videos: Collection[str]) -> list[KnownAudit]:
    return [audit for audit in audits if audit.vid in videos]


def _known(prediction: Prediction) -> KnownAudit | None:
    true = prediction.true
    form = (true.mask_type, normalize_action(true.action))
    if not prediction.shares or true.iou is None or prediction.vid is None or form not in FORMS:
        return None
    said = prediction.said
    shares = Shares.from_record(prediction.shares)
    return KnownAudit(shares, said.iou, said.mask_type, form, min(max(true.iou, 0.0), 1.0), str(prediction.vid))
