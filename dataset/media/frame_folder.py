"""A folder of numbered images as the ten frames of a clip."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from dataset.media.lengths import CLIP_SECONDS, NUM_FRAMES, SLACK
from dataset.media.pictures import PICTURE_SUFFIXES

logger = logging.getLogger(__name__)

SAME_SUFFIXES = {".jpeg": ".jpg", ".tiff": ".tif"}


class NumberedImage(NamedTuple):
    """An image whose name ends with a number; `kind`: its name without the number."""

    number: int
    path: Path
    kind: tuple[str, str]


class Chosen(NamedTuple):
    """Ten images of a folder; `audited`: which of them is the audited one.

    places: theirs among all images of the folder, from 0. start: the second in which the ten begin, 0 where it is not
    known how long they last.
    """

    paths: list[Path]
    audited: int
    places: list[int]
    start: float = 0.0


def find_frames(folder: str | Path) -> list[Path]:
    """The ten numbered images of a folder (0.jpg to 9.jpg, 00001.png to 00010.png, ...) in the order of their numbers.

    Logs a warning when the numbers do not begin with 0 or go up in larger steps, and of images without a number.
    Raises FileNotFoundError, and ValueError for another count, a number that comes twice, a gap, or a name that is
    unlike the others.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder of frames")
    found = list_images(folder)
    if len(found) != NUM_FRAMES:
        names = ", ".join(image.path.name for image in found[:12])
        got = f"{len(found)} ({names}{', ...' if len(found) > 12 else ''})" if found else "none"
        raise ValueError(f"{folder}: expected {NUM_FRAMES} numbered images such as 0.jpg to 9.jpg, got {got}")
    return _in_order(folder)


def choose_frames(folder: str | Path, frame: int, fps: float | None = None) -> Chosen:
    """Ten of a folder of any number of numbered images, the audited one among them.

    `frame`: the place of the audited one in the order of numbers, from 0. Other counts than ten are spread evenly over
    the folder, and the place nearest to the audited one becomes it. `fps`: images in a second; of a folder that lasts
    longer than ten seconds ten are shown, one a second: from ten seconds on, the last one is the audited one (as
    `dataset.media.clip.extract_moments` does it). Raises as `find_frames`, and for a place that the folder does not
    have.
    """
    folder = Path(folder)
    found = list_images(folder) if folder.is_dir() else []
    paths = _in_order(folder) if found else find_frames(folder)
    if not 0 <= frame < len(paths):
        raise ValueError(f"--frame: expected 0 to {len(paths) - 1}, got {frame}")
    places, start = _spread(len(paths), frame, fps)
    shown = min(range(NUM_FRAMES), key=lambda i: abs(places[i] - frame))
    places[shown] = frame
    return Chosen([paths[place] for place in places], shown, places, start)


def _spread(count: int, frame: int, fps: float | None) -> tuple[list[int], float]:
    """Ten places over all, or one a second where they last longer than ten seconds; and the second of the first."""
    if fps is None or count / fps <= CLIP_SECONDS + SLACK:
        return [place * count // NUM_FRAMES for place in range(NUM_FRAMES)], 0.0
    start = max(0.0, frame / fps - (NUM_FRAMES - 1))
    return [int((start + second) * fps + 1e-6) for second in range(NUM_FRAMES)], start


def list_images(folder: Path) -> list[NumberedImage]:
    """The numbered images of a folder, in the order of their numbers."""
    return sorted(image for path in folder.iterdir() if _is_picture(path) and (image := _numbered(path)))


def list_alike(folder: Path) -> list[NumberedImage]:
    """As `list_images`, of which there may be any number, with gaps. Logs a warning of images without a number.

    Raises ValueError for a number that comes twice, or a name that is unlike the others.
    """
    found = list_images(folder)
    numbers = [image.number for image in found]
    if twice := [image.path.name for image in found if numbers.count(image.number) > 1]:
        raise ValueError(f"{folder}: expected each frame number once, got {', '.join(twice[:6])}")
    if found:
        _check_kinds(found, folder)
    known = {image.path for image in found}
    if others := [path.name for path in sorted(folder.iterdir()) if _is_picture(path) and path not in known]:
        logger.warning("%s: expected numbered images only, got %s, which is left out", folder, ", ".join(others[:5]))
    return found


def stray_doubt(frames: Sequence[Path]) -> str | None:
    """What is doubtful about the folder of ten frames: other pictures beside them, which are not shown."""
    folders = {path.parent for path in frames}
    if len(folders) != 1 or not (folder := folders.pop()).is_dir():
        return None
    known = {path.name for path in frames}
    if others := sorted(path.name for path in folder.iterdir() if path.name not in known and _is_picture(path)):
        return f"expected {len(known)} frames, got {', '.join(others[:5])} beside them, which are not shown"
    return None


def _in_order(folder: Path) -> list[Path]:
    found = list_alike(folder)
    _check_gaps(found, folder)
    _tell_numbering(found, folder)
    return [image.path for image in found]


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".") and path.is_file()


def _numbered(path: Path) -> NumberedImage | None:
    """None for a name without a number at its end."""
    match = re.search(r"[0-9]+$", path.stem)
    if not match:
        return None
    suffix = SAME_SUFFIXES.get(path.suffix.lower(), path.suffix.lower())
    return NumberedImage(int(match.group()), path, (path.stem[: match.start()], suffix))


def _check_kinds(found: list[NumberedImage], folder: Path) -> None:
    kinds = [image.kind for image in found]
    usual = max(kinds, key=kinds.count)
    if strange := [image.path.name for image in found if image.kind != usual]:
        example = next(image.path.name for image in found if image.kind == usual)
        raise ValueError(f"{folder}: expected names such as {example}, got {', '.join(strange)} among them")


def _check_gaps(found: list[NumberedImage], folder: Path) -> None:
    """The numbers have to go up in equal steps."""
    numbers = [image.number for image in found]
    steps = [after - before for before, after in pairwise(numbers)]
    if len(set(steps)) > 1:
        wide = steps.index(max(steps))
        listed = ", ".join(map(str, numbers[:12])) + ", ..." * (len(numbers) > 12)
        around = f"{numbers[wide]} is followed by {numbers[wide + 1]}"
        count = "ten" if len(numbers) == NUM_FRAMES else str(len(numbers))
        raise ValueError(f"{folder}: expected {count} frame numbers without a gap, got {listed} ({around})")


def _tell_numbering(found: list[NumberedImage], folder: Path) -> None:
    first, last = found[0], found[-1]
    if first.number or last.number != len(found) - 1:
        logger.warning("%s: frame 0 is %s, frame %d is %s", folder, first.path.name, len(found) - 1, last.path.name)
