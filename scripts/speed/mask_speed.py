"""How fast one ground-truth mask becomes its six geometric masks (cutout, dilate, erode; hard and medium).

  python -m scripts.speed.mask_speed [--num_masks 20]

Beside it, in the same run and on the same masks, the plain way: a structuring element that grows by one pixel at a time
until the IoU lies in the band. One core, in memory, no files. `reached` is the share of masks that got into their band.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import cv2
import numpy as np
from tqdm import tqdm

from configs.construction import MaskSpeedArguments
from dataset.construction.candidates import BANDS, EDITS, iou_of
from dataset.construction.geometry import OutOfReach, Shape
from scripts.program import run_program

RESOLUTIONS = ((640, 360), (1280, 720), (1920, 1080))  # width, height
SQUARE = np.ones((3, 3), np.uint8)


def searched(gt: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """Our six masks of one (H, W) bool ground truth."""
    shape, made = Shape(gt), []
    for edit in EDITS.values():
        for band, _ in BANDS.values():
            try:
                made.append(edit(shape, band, rng))
            except OutOfReach:
                continue
    return made


def grown(gt: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """The six masks as far as growing an element by one pixel at a time comes upon them."""
    centre = tuple(int(x) for x in rng.choice(np.argwhere(cv2.erode(gt.view(np.uint8), SQUARE, iterations=5)))[::-1])
    steps: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
        "cutout": lambda mask, size: mask & ~_hole(gt, centre, size),
        "dilate": lambda mask, size: cv2.dilate(mask.view(np.uint8), SQUARE).view(bool),
        "erode": lambda mask, size: cv2.erode(mask.view(np.uint8), SQUARE).view(bool),
    }
    return [
        mask for step in steps.values() for band, _ in BANDS.values() if (mask := _grow(gt, step, band)) is not None
    ]


def _grow(gt: np.ndarray, step: Callable[[np.ndarray, int], np.ndarray], band) -> np.ndarray | None:
    mask, size = gt, 0
    while iou_of(gt, mask) * 100 > band.high:
        size += 1
        mask = step(mask, size)
    return mask if iou_of(gt, mask) * 100 >= band.low else None


def _hole(gt: np.ndarray, centre: tuple[int, int], radius: int) -> np.ndarray:
    inside = cv2.erode(gt.view(np.uint8), SQUARE)
    return (cv2.circle(np.zeros_like(inside), centre, radius, 1, cv2.FILLED) & inside).view(bool)


def blob(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """(H, W) bool: one uneven object of a tenth to a third of the frame."""
    noise = cv2.resize(rng.standard_normal((9, 16)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    noise -= 2 * (rows**2 + columns**2).astype(np.float32)
    _, labels, stats, _ = cv2.connectedComponentsWithStats((noise > np.quantile(noise, 0.75)).astype(np.uint8))
    return labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))


def measure(args: MaskSpeedArguments) -> None:
    """Print one line per resolution."""
    cv2.setNumThreads(1)
    columns = ("ours: ms", "masks/s", "reached", "plain: ms", "masks/s", "reached", "ratio")
    print(f"{'frame':>10}" + "".join(f"{column:>11}" for column in columns))
    for width, height in RESOLUTIONS:
        rng = np.random.default_rng(args.seed)
        masks = [blob(rng, width, height) for _ in range(args.num_masks)]
        ours, plain = _timed_in_turn(masks, args.seed, f"{width}x{height}")
        cells = [
            cell
            for way in (ours, plain)
            for cell in (f"{way.milliseconds:.1f}", f"{way.per_second:.1f}", f"{way.reached:.0%}")
        ]
        cells.append(f"{ours.per_second / plain.per_second:.1f}")
        print(f"{f'{width}x{height}':>10}" + "".join(f"{cell:>11}" for cell in cells))


class _Timing:
    """Seconds for each ground-truth mask, and how many masks came of it."""

    def __init__(self):
        self.seconds: list[float] = []
        self.made = 0

    def add(self, work: Callable, gt: np.ndarray, rng: np.random.Generator) -> None:
        start = time.perf_counter()
        self.made += len(work(gt, rng))
        self.seconds.append(time.perf_counter() - start)

    @property
    def milliseconds(self) -> float:
        """Median for one ground-truth mask."""
        return 1000 * float(np.median(self.seconds))

    @property
    def per_second(self) -> float:
        """Masks made in a second."""
        return self.made / sum(self.seconds)

    @property
    def reached(self) -> float:
        return self.made / (6 * len(self.seconds))


def _timed_in_turn(masks: list[np.ndarray], seed: int, title: str) -> tuple[_Timing, _Timing]:
    """Both ways on one mask after the other; the first mask is made once before, to warm up."""
    ours, plain = _Timing(), _Timing()
    searched(masks[0], np.random.default_rng(seed))
    for i, gt in enumerate(tqdm(masks, desc=title, unit="mask", leave=False)):
        ours.add(searched, gt, np.random.default_rng([seed, i]))
        plain.add(grown, gt, np.random.default_rng([seed, i]))
    return ours, plain


def main(argv: list[str] | None = None) -> int:
    return run_program("mask_speed", (MaskSpeedArguments,), measure, argv, __doc__)


if __name__ == "__main__":
    sys.exit(main())
