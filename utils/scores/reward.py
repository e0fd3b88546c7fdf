"""What a sampled audit is worth, given what is true of the mask. Used in training only; scores are in `metrics`."""

from __future__ import annotations

from utils.audit import Audit
from utils.certainty.contradictions import contradictions

IOU_WEIGHT = 4.0  # an error of the IoU of 0.5 costs as much as a wrong mask type


def reward(said: Audit, true: Audit) -> float:
    """Up to 3: one each for the right mask type, the right action, and that type, action and IoU agree.

    The IoU's squared error, times IOU_WEIGHT, is taken off. An audit that lacks a part is worth what the worst whole
    one is. `true`: the mask's IoU, type and action; a part that is None is not known and counts nothing.
    """
    worst = -IOU_WEIGHT if true.iou is not None else 0.0
    if None in (said.mask_type, said.iou, said.action):
        return worst
    error = 0.0 if true.iou is None else said.iou - true.iou
    right = (said.mask_type == true.mask_type) + (said.action == true.action)
    return right + (not contradictions(said)) - IOU_WEIGHT * error**2
