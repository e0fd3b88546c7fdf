"""Pictures as of DAVIS: each number of the palette is an object, 0 is the background and 255 belongs to none.

What the objects are may be said in expressions.csv beside the clips' folders: clip,object,expression in each row.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import cv2
import numpy as np

from dataset.construction.stills import clean_expression
from dataset.media.pictures import open_picture
from utils.tables import Columns, read_table

NOBODYS = (0, 255)
SQUARE = np.ones((2, 2), np.uint8)
EXPRESSIONS = "expressions.csv"
COLUMNS = Columns(("clip", "object", "expression"), needs_header=True)


def read_objects(path: Path) -> dict[int, np.ndarray]:
    """Number of each object -> its mask (H, W) bool, upright. Raises FileNotFoundError, ValueError naming the file."""
    picture = open_picture(path, "mask")
    if picture.is_series:
        raise ValueError(f"{path}: expected one picture, got an animation or several pages")
    if picture.is_deep or picture.image.mode not in ("P", "L"):
        got = "16 bits" if picture.is_deep else picture.image.mode
        raise ValueError(f"{path}: expected a picture with a palette, or grey numbers of objects, got {got}")
    numbers = np.asarray(picture.upright())
    objects = {int(number): numbers == number for number in np.unique(numbers) if number not in NOBODYS}
    thin = [number for number, mask in objects.items() if not cv2.erode(mask.view(np.uint8), SQUARE).any()]
    if len(thin) > 2 and 2 * len(thin) > len(objects):
        got = (
            f"{len(objects)} numbers, {len(thin)} of them nowhere 2 pixels wide, as blurred or lossy pictures have them"
        )
        raise ValueError(f"{path}: expected numbers of objects, got {got}")
    return objects


def read_expressions(folder: Path, clips: Collection[str]) -> dict[tuple[str, int], tuple[str, ...]]:
    """(clip, number of the object) -> its expressions, one for each row of the folder's table; none without a table.

    Raises ValueError naming file and line.
    """
    path = folder / EXPRESSIONS
    texts: dict[tuple[str, int], tuple[str, ...]] = {}
    for line, row in read_table(path, COLUMNS) if path.is_file() else ():
        where, clip, number = f"{path} line {line}", row["clip"].strip(), row["object"].strip()
        if clip not in clips:
            raise ValueError(f"{where}: expected a clip with a folder in {folder}, got '{clip}'")
        if not (number.isascii() and number.isdigit() and 0 < int(number) < 255):
            raise ValueError(f"{where}: expected the number of an object, 1 to 254, got '{number}'")
        key = clip, int(number)
        texts[key] = (*texts.get(key, ()), clean_expression(row["expression"], where))
    return texts
