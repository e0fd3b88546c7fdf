"""What the page asks of an AuditSession, and what it shows of the answer. No Gradio here."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from configs.audit import check_frame
from dataset.media.images import read_mask, read_upright_frame, resize_mask
from scripts.answering.audit_result import cautions
from scripts.session import AuditResult, AuditSession
from utils.formatting import one_line
from utils.mask_types import PAPER_TYPES
from utils.reports.audit_picture import NOT_PARSED
from utils.reports.overlay import scaled, tinted

OWN_LOGGERS = ("audit", "configs", "dataset", "scripts", "utils")


@dataclass(frozen=True)
class Verdict:
    """One audit as the page shows it. overlay, kept: (H, W, 3) uint8; types, actions: label -> probability."""

    overlay: np.ndarray
    kept: np.ndarray
    text: str
    types: dict[str, float]
    actions: dict[str, float]
    notes: str


def shown_frames(session: AuditSession, video: str | None, no_audio: bool) -> tuple[list[Path], str]:
    """The ten frames that are shown of a video, and notes in words. Raises ValueError, FileNotFoundError."""
    if not video:
        raise ValueError("video: expected a file, got none: drop one into the first field")
    with noted() as notes:
        clip = session.clip(video=video, no_audio=no_audio)
    return clip.frame_paths, "\n".join([f"shown: {clip.shown}", *notes])


def ask(
    session: AuditSession,
    video: str | None,
    no_audio: bool,
    frame: int,
    expression: str | None,
    drawn: np.ndarray | None,
    uploaded: str | None,
) -> Verdict:
    """Audit the mask that was drawn, (H, W) bool, or the picture that was uploaded. Raises ValueError, OSError."""
    frames, shown_notes = shown_frames(session, video, no_audio)
    check_frame(frame)
    is_drawn = drawn is not None and bool(drawn.any())
    if is_drawn == bool(uploaded):
        got = "both" if uploaded else "neither"
        raise ValueError(f"mask: expected one that is drawn on the frame, or a picture of one, got {got}")
    picture = read_upright_frame(frames[frame])
    mask = read_mask(Path(uploaded)) if uploaded else resize_mask(drawn, picture.shape[:2])
    with noted() as notes:
        request = {"video": video, "no_audio": no_audio, "frame": frame, "expression": expression or ""}
        result = session.audit(mask=Path(uploaded) if uploaded else mask, **request)
    shown, inside = scaled(picture, resize_mask(mask, picture.shape[:2]), picture.shape[1::-1])
    kept = (shown * inside[..., None]).round().astype(np.uint8)
    return Verdict(
        overlay=tinted(shown, inside),
        kept=kept,
        text=in_lines(result),
        types={name: result.belief.types[name] for name in PAPER_TYPES},
        actions=dict(result.belief.actions),
        notes="\n".join([*(f"CAREFUL: {text}" for text in cautions(result)), *notes, shown_notes]),
    )


def in_lines(result: AuditResult) -> str:
    """The audit as lines of text."""
    iou = None if result.iou is None else f"{result.iou:.4f}"
    named = {"mask type": result.mask_type, "IoU": iou, "action": result.action}
    lines = [f"{name}: {NOT_PARSED if value is None else one_line(value)}" for name, value in named.items()]
    belief = result.belief
    if belief.iou is not None:
        low, high = belief.interval
        lines.append(f"expected IoU: {belief.iou:.2f}, with 90% probability {low:.2f} to {high:.2f}")
    return "\n".join([*lines, "", result.text])


@contextmanager
def noted() -> Iterator[list[str]]:
    """What the project warns of inside, as a list of sentences that grows."""
    handler = _Noting()
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield handler.notes
    finally:
        root.removeHandler(handler)


class _Noting(logging.Handler):
    def __init__(self):
        super().__init__(logging.WARNING)
        self.notes: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.split(".")[0] in OWN_LOGGERS:
            self.notes.append(one_line(record.getMessage()))
