"""What a calibration has found, as a file in the auditor's folder."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from utils.certainty.belief import Scaling
from utils.certainty.risk import Threshold
from utils.mask_types import PAPER_TYPES
from utils.text_files import read_json

CALIBRATION_FILE = "calibration.json"


@dataclass(frozen=True)
class Calibration:
    """Temperatures of an auditor, and a threshold that keeps a promise.

    good_iou: a mask under this true IoU is wrong to accept. videos: those that both were fitted on; `audits` of them.
    errors: name of a probability -> expected calibration error "before" and "after". date: year-month-day.
    """

    scaling: Scaling
    accept: Threshold
    good_iou: float
    run: str
    videos: list[str]
    audits: int
    errors: dict[str, dict[str, float]]
    date: str

    def as_record(self) -> dict:
        """For a JSON file; an infinite threshold is null."""
        record = asdict(self)
        record["accept"]["iou"] = self.accept.iou if self.accepts_any else None
        return record

    @classmethod
    def from_record(cls, record: Any, where: object) -> Calibration:
        """The reverse of `as_record`. Raises ValueError naming `where` for other content."""
        try:
            parts = {field.name: record[field.name] for field in fields(cls)}
            accept = dict(parts["accept"])
            accept["iou"] = float("inf") if accept["iou"] is None else float(accept["iou"])
            scaling = dict(parts["scaling"])
            types = tuple(map(float, scaling.pop("types")))
            if not all(0 < value < 1000 for value in scaling.values()):
                raise ValueError("a temperature that is not above 0")
            if len(types) != len(PAPER_TYPES) or not all(abs(value) < 100 for value in types):
                raise ValueError("weights that are not those of six types")
            parts |= {"scaling": Scaling(**scaling, types=types), "accept": Threshold(**accept)}
            return cls(**parts)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{where}: expected a calibration of scripts.evaluate.calibrate, got {error!r}") from None

    @property
    def accepts_any(self) -> bool:
        return self.accept.iou < float("inf")

    def promise(self) -> str:
        """The threshold in a sentence."""
        risk = f"at most {self.accept.risk:.0%} of a video's masks are accepted with a true IoU under {self.good_iou:g}"
        if not self.accepts_any:
            return f"no threshold promises that {risk}, on average over videos"
        return f"accept where the expected IoU is at least {self.accept.iou:.3f}: on average over videos, {risk}"


def read_calibration(folder: str | Path) -> Calibration | None:
    """That of an auditor's folder; None without one. Raises ValueError naming the file if it is no calibration."""
    path = Path(folder) / CALIBRATION_FILE
    return Calibration.from_record(read_json(path), path) if path.is_file() else None


def scaling_of(calibration: Calibration | None) -> Scaling:
    """Its temperatures, or those that change nothing."""
    return calibration.scaling if calibration else Scaling()
