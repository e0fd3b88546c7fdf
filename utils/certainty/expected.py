"""Predictions whose IoU is the expected one instead of the written one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from utils.certainty.belief import Scaling, belief_of
from utils.certainty.shares import Shares
from utils.certainty.stored import Calibration, read_calibration
from utils.prediction import Prediction
from utils.text_files import read_json

WRITTEN, EXPECTED = "written", "expected"
IOU_KINDS = (WRITTEN, EXPECTED)


def with_expected_ious(predictions: Iterable[Prediction], scaling: Scaling, where: object) -> Iterator[Prediction]:
    """The same predictions, each with the IoU that its probabilities expect; None where it has no digits.

    Raises ValueError for a record without probabilities, naming `where`.
    """
    for prediction in predictions:
        if prediction.shares is None:
            got = f"none for uid {prediction.uid}, {prediction.mask_path}"
            raise ValueError(f"{where}: expected probabilities (shares) of every answer for expected IoUs, got {got}")
        belief = belief_of(Shares.from_record(prediction.shares), scaling)
        yield replace(prediction, said=replace(prediction.said, iou=belief.iou))


def calibration_of_run(records: str | Path, auditor: str | None = None) -> Calibration | None:
    """The calibration in the folder `auditor`, or else of the auditor that the run.json beside the records names.

    None where that one has none, or is not there. Raises FileNotFoundError for an `auditor` without a calibration.
    """
    if auditor is not None:
        if (found := read_calibration(auditor)) is None:
            raise FileNotFoundError(f"{auditor}: expected calibration.json (scripts.evaluate.calibrate), got none")
        return found
    record = Path(records).parent / "run.json"
    settings = read_json(record).get("settings", {}) if record.is_file() else {}
    named = settings.get("auditor_dir", settings.get("auditor"))  # of an evaluation, or of scripts.audit
    return read_calibration(named) if isinstance(named, str) else None


def iou_record(kind: str, calibration: Calibration | None) -> dict:
    """What a metrics file says of its IoUs; nothing if they are the written ones."""
    if kind == WRITTEN:
        return {}
    found = calibration and {"date": calibration.date, "run": calibration.run, "scaling": vars(calibration.scaling)}
    return {"iou_scored": EXPECTED, "calibration": found}


def iou_line(kind: str, calibration: Calibration | None) -> str:
    """The same for people; empty if they are the written ones."""
    if kind == WRITTEN:
        return ""
    how = f"calibrated on {calibration.date} on {calibration.run}" if calibration else "not calibrated"
    return f"IoU: the expected one, {how}\n"
