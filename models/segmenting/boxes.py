"""A box around a named object: the output of grounders and the input of the segmenter."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Box:
    """`box` is x0, y0, x1, y1 in pixels of the picture; `score` lies in [0, 1]; None if the model has no scores."""

    name: str
    box: tuple[float, float, float, float]
    score: float | None = None

    @property
    def area(self) -> float:
        x0, y0, x1, y1 = self.box
        return (x1 - x0) * (y1 - y0)

    def clamped(self, size: tuple[int, int]) -> Box | None:
        """The part of the box inside a picture of this (height, width); None where it has no area."""
        height, width = size
        x0, x1 = sorted(min(max(x, 0.0), float(width)) for x in self.box[::2])
        y0, y1 = sorted(min(max(y, 0.0), float(height)) for y in self.box[1::2])
        return Box(self.name, (x0, y0, x1, y1), self.score) if x1 > x0 and y1 > y0 else None
