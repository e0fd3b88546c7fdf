"""Which charts a report has, from its audits, and what is written below them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from scripts.reporting.audits import Shown
from scripts.reporting.figures import coverage_chart, histogram_chart, iou_chart, reliability_chart
from utils.certainty.belief import Belief
from utils.certainty.calibration import calibration_error, reliability
from utils.certainty.risk import risk_coverage

CHARTS = IOU, RELIABILITY, EXPECTED, CERTAINTY, COVERAGE = (
    "iou.svg",
    "reliability.svg",
    "expected.svg",
    "certainty.svg",
    "coverage.svg",
)


def draw_charts(folder: Path, audits: Sequence[Shown], beliefs: Sequence[Belief | None]) -> list[dict]:
    """Write the charts that the audits allow; file, alternative text and caption of each."""
    charts = []
    if iou_chart(audits, folder / IOU):
        charts.append(_chart(IOU, "IoU in the audit over the true IoU", "IoU in the audit over the true one."))
    sure = [belief for belief in beliefs if belief is not None]
    known = [(a, b) for a, b in zip(audits, beliefs, strict=True) if b is not None and a.prediction.true.mask_type]
    if known:
        right = np.array([b.likeliest_type == a.prediction.true.mask_type for a, b in known])
        rows = reliability(np.array([b.certainty for _, b in known]), right)
        reliability_chart(rows, folder / RELIABILITY)
        text = f"How often the likeliest type is right. Expected calibration error {calibration_error(rows):.3f}."
        charts.append(_chart(RELIABILITY, "Share of right types over their probability", text))
    elif sure:
        charts += _distributions(folder, sure)
    errors = [(b, abs(b.iou - a.prediction.true.iou)) for a, b in known if None not in (b.iou, a.prediction.true.iou)]
    if errors:
        charts.append(_coverage(folder, errors))
    return charts


def _distributions(folder: Path, beliefs: Sequence[Belief]) -> list[dict]:
    """What is known without ground truth: expected IoUs and certainties."""
    charts = []
    if ious := [belief.iou for belief in beliefs if belief.iou is not None]:
        histogram_chart(ious, "expected IoU", folder / EXPECTED)
        text = f"Expected IoUs. Their mean is {np.mean(ious):.3f}."
        charts.append(_chart(EXPECTED, "How many masks have which expected IoU", text))
    certainties = [belief.certainty for belief in beliefs]
    histogram_chart(certainties, "probability of the likeliest type", folder / CERTAINTY)
    text = f"How sure the auditor is of the type. The mean is {np.mean(certainties):.3f}."
    return [*charts, _chart(CERTAINTY, "How many masks have which certainty", text)]


def _coverage(folder: Path, errors: Sequence[tuple[Belief, float]]) -> dict:
    error = np.array([e for _, e in errors])
    looked, left, area = risk_coverage([1 - b.certainty for b, _ in errors], error)
    _, best, best_area = risk_coverage(error, error)
    coverage_chart(
        {
            "least certain first": (looked, left),
            "random order": (looked, error.mean() * (1 - looked)),
            "largest error first": (looked, best),
        },
        folder / COVERAGE,
    )
    text = f"Area {area:.4f}; random order {error.mean() / 2:.4f}, largest error first {best_area:.4f}."
    return _chart(COVERAGE, "Error that is left over the share of masks looked at", text)


def _chart(file: str, alt: str, text: str) -> dict:
    return {"file": file, "alt": alt, "text": text}
