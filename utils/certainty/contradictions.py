"""Audits whose parts contradict each other, such as a perfect mask that is rejected."""

from __future__ import annotations

from utils.audit import Audit
from utils.certainty.belief import IOU_RANGES

SLACK = 0.05  # an IoU this far outside of its range is no contradiction


def contradictions(said: Audit) -> list[str]:
    """A sentence for each contradiction between mask type, action and IoU; parts that are None contradict nothing."""
    known_types = {mask_type for mask_type, _ in IOU_RANGES}
    if said.mask_type not in known_types:
        return []
    ranges = {action: span for (mask_type, action), span in IOU_RANGES.items() if mask_type == said.mask_type}
    found = []
    if said.action is not None and said.action not in ranges:
        found.append(f"a {said.mask_type} mask: expected the action {' or '.join(ranges)}, got {said.action}")
    spans = [ranges[said.action]] if said.action in ranges else list(ranges.values())
    if said.iou is not None and not any(low - SLACK <= said.iou <= high + SLACK for low, high in spans):
        shown = " or ".join(f"{low:.2f} to {high:.2f}" for low, high in spans)
        what = f"{said.mask_type} mask with {said.action}" if said.action in ranges else f"{said.mask_type} mask"
        found.append(f"a {what}: expected an IoU of {shown}, got {said.iou:.4f}")
    return found
