"""What a sampled audit is worth, given what is true of the mask. Used in training only; scores are in `metrics`."""

from __future__ import annotations

from utils.audit import Audit
from utils.certainty.belief import IOU_RANGES
from utils.certainty.contradictions import contradictions

IOU_WEIGHT = 4.0  # an error of the IoU of 0.5 costs as much as a wrong mask type


def reward(said: Audit, true: Audit) -> float:
    """Up to 3: one each for the right mask type, the right action, and that type, action and IoU agree.

    The IoU's squared error, times IOU_WEIGHT, is taken off. An audit that lacks a part gets -IOU_WEIGHT, less than any
    whole one. `true`: the mask's IoU, type and action; a part that is None is not known and counts nothing.
    """
    if None in (said.mask_type, said.iou, said.action):
        return -IOU_WEIGHT
    error = 0.0 if true.iou is None else said.iou - true.iou
    right = (said.mask_type == true.mask_type) + (said.action == true.action)
    agrees = (said.mask_type, said.action) in IOU_RANGES and not contradictions(said)
    return right + agrees - IOU_WEIGHT * error**2
