"""What an auditor's folder says about the auditor, in files of their own, which may all be missing.

card.json                    what it was trained on, when, with which seed
known_clips.safetensors      statistics of its training clips (`utils.certainty.known_clips`)
calibration.json             temperatures and a threshold (`utils.certainty.stored`)
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from models.weights.weight_files import read_safetensors_file
from utils.card import CARD_FILE, Card
from utils.certainty.known_clips import KnownClips
from utils.certainty.stored import CALIBRATION_FILE, Calibration, read_calibration
from utils.text_files import read_json
from utils.whole_files import write_json

CLIPS_FILE = "known_clips.safetensors"
ABOUT_FILES = (CARD_FILE, CLIPS_FILE, CALIBRATION_FILE)


@dataclass(frozen=True)
class About:
    """What is known of an auditor beside its weights; None where its folder does not say it."""

    card: Card | None = None
    known_clips: KnownClips | None = None
    calibration: Calibration | None = None

    def line(self) -> str:
        """The card and the calibration in one line."""
        card = self.card.line() if self.card else "no card: what it was trained on is unknown"
        if self.calibration is None:
            return f"{card}; not calibrated"
        return f"{card}; calibrated on {len(self.calibration.videos):,} videos ({self.calibration.date})"


def read_about(folder: str | Path) -> About:
    """What the folder says. Raises ValueError naming a file that is no such file."""
    folder = Path(folder)
    path = folder / CARD_FILE
    card = Card.from_record(read_json(path), path) if path.is_file() else None
    return About(card, _read_clips(folder / CLIPS_FILE), read_calibration(folder))


def write_about(about: About, folder: Path) -> None:
    """Write what is known as files of a folder that is being written."""
    if about.card:
        write_json(folder / CARD_FILE, vars(about.card))
    if about.known_clips:
        known = about.known_clips
        numbers = {"limit": np.array([known.limit]), "clips": np.array([known.clips])}
        save_file({"mean": known.mean, "precision": known.precision, **numbers}, folder / CLIPS_FILE)
    if about.calibration:
        write_json(folder / CALIBRATION_FILE, about.calibration.as_record())


def _read_clips(path: Path) -> KnownClips | None:
    if not path.is_file():
        return None
    tensors = {name: tensor.numpy() for name, tensor in read_safetensors_file(path).items()}
    sizes = {name: tensors[name].shape for name in ("mean", "precision", "limit", "clips") if name in tensors}
    width = sizes.get("mean", ())
    if sizes != {"mean": width, "precision": width * 2, "limit": (1,), "clips": (1,)} or len(width) != 1:
        raise ValueError(f"{path}: expected mean (E,) and precision (E, E) of training clips, got {sizes}")
    if not all(np.isfinite(values).all() for values in tensors.values()) or not tensors["limit"][0] > 0:
        raise ValueError(f"{path}: expected finite statistics and a limit above 0, got other numbers")
    return KnownClips(tensors["mean"], tensors["precision"], float(tensors["limit"][0]), int(tensors["clips"][0]))
