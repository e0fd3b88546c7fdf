"""Numbers of settings that have to lie between two others."""

from __future__ import annotations

import math
from collections.abc import Mapping

MOST_PROCESSES = 1024  # that decode, draw or measure


def check_ranges(settings: object, ranges: Mapping[str, tuple[float, float]]) -> None:
    """`ranges`: name of a setting -> its least and greatest value. None is always right.

    Raises ValueError naming the flag of the first setting that lies outside, or is no number at all.
    """
    for name, (least, greatest) in ranges.items():
        value = getattr(settings, name)
        if value is not None and not least <= value <= greatest:  # NaN lies nowhere
            expected = f"{least} or more" if greatest == math.inf else f"a number from {least} to {greatest}"
            raise ValueError(f"--{name}: expected {expected}, got {value}")
