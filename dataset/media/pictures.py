"""Picture files, opened with care: known formats, bounded before decoding, decoded to the end.

`images` makes frames and masks of them. No other module opens picture files.
"""

from __future__ import annotations

import re
import struct
import warnings
import zlib
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from PIL import Image

MAX_PIXELS = 2**26  # 8192 x 8192; a frame of 8K video has half as many
# What phones, cameras, editors and segmentation tools write. Others, such as EPS, would start programs.
KNOWN_FORMATS = ("AVIF", "BMP", "DIB", "GIF", "JPEG", "JPEG2000", "MPO", "PNG", "PPM", "TIFF", "WEBP")
PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".avif", ".gif", ".jp2", ".ppm", ".pgm")
SEVERAL_VIEWS = ("MPO",)  # a phone's picture and its preview
EXIF_ORIENTATION, UPRIGHT = 0x0112, 1
TURNS = {  # EXIF orientation -> what makes the picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
ARRAY_TURNS = {  # the same for arrays (H, W, ...)
    2: np.fliplr,
    3: partial(np.rot90, k=2),
    4: np.flipud,
    5: partial(np.swapaxes, axis1=0, axis2=1),
    6: partial(np.rot90, k=-1),
    7: lambda values: np.rot90(np.swapaxes(values, 0, 1), k=2),
    8: np.rot90,
}
DAMAGES = (OSError, SyntaxError, ValueError, TypeError, LookupError, AttributeError, RuntimeError)
DAMAGES += (struct.error, EOFError, zlib.error)
# How Pillow calls 16 bits of each channel; BGR;16 are 16 bits of all three. PPM files have their highest value instead.
DEEP = re.compile(r"'(?!BGR)\w+;16|'RGB', (?!255\))[0-9]{3,}\)")

warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # MAX_PIXELS is lower


@dataclass(frozen=True)
class Picture:
    """A decoded file."""

    image: Image.Image  # as stored, not turned
    format: str
    orientation: int  # as EXIF data have it
    is_series: bool  # an animation, or several pages
    is_deep: bool  # colours of 16 bits, of which `image` has the upper 8

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) as stored."""
        return self.image.size[::-1]

    @property
    def upright_size(self) -> tuple[int, int]:
        """(height, width) as the EXIF data turn it."""
        return self.size[::-1] if self.orientation >= 5 else self.size

    def upright(self) -> Image.Image:
        """The picture, turned as its EXIF data say."""
        return self.image if self.orientation == UPRIGHT else self.image.transpose(TURNS[self.orientation])

    def upright_values(self, values: np.ndarray) -> np.ndarray:
        """The same for the picture's values (H, W, channels), read by another reader."""
        return ARRAY_TURNS.get(self.orientation, np.asarray)(values)


def open_picture(path: Path, kind: str) -> Picture:
    """The file's picture; of an animation the first. `kind` (frame, mask) is for messages.

    Raises FileNotFoundError, or ValueError naming a file that is damaged, cut short, of an unknown format or too large.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: no such {kind} file")
    try:
        picture, large = _decode(path)
    except (*DAMAGES, Image.DecompressionBombError) as error:
        reason = (str(error).replace(str(path), "it").splitlines() or ["nothing"])[0]
        raise ValueError(f"{path}: expected an image, got a file that cannot be decoded ({reason})") from None
    if large:
        raise ValueError(f"{path}: expected a {kind} of at most {MAX_PIXELS:,} pixels, got {large}")
    return picture


def _decode(path: Path) -> tuple[Picture | None, str]:
    """(the picture, ""), or (None, the size of a picture that is too large to be decoded)."""
    with _opened(path) as image:
        if image.width * image.height > MAX_PIXELS:
            return None, f"{image.width} x {image.height}"
        if image.format == "PNG":
            image.verify()  # its check sums; afterwards it must be opened anew
    with _opened(path) as image:
        is_series = image.format not in SEVERAL_VIEWS and getattr(image, "is_animated", False)
        is_deep = len(image.getbands()) > 1 and any(DEEP.search(repr(tile[3])) for tile in image.tile)
        image.load()
        orientation = image.getexif().get(EXIF_ORIENTATION, UPRIGHT)
        orientation = orientation if orientation in TURNS else UPRIGHT
    return Picture(image, image.format, orientation, bool(is_series), is_deep), ""


def _opened(path: Path) -> Image.Image:
    return Image.open(path, formats=_readable_formats())


@lru_cache(maxsize=1)
def _readable_formats() -> list[str]:
    Image.init()
    return [name for name in KNOWN_FORMATS if name in Image.OPEN]
