"""Frames and masks: files -> arrays. No other module decodes images.

`examine_frame` and `examine_mask` say what is doubtful about a file, the other readers do not. A file that cannot be
what it claims to be raises ValueError in all of them.
`pixels` turns them into CLIP's input; `dataset.benchmark` knows which files belong to a sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from dataset.media.mask_values import LOWEST_TOP, MaskReading, read_values
from dataset.media.pictures import UPRIGHT, Picture, open_picture
from utils.whole_files import whole_file

OVERLAY_COLOUR, OVERLAY_ALPHA = (0, 255, 0), 0.5
GREY_16 = ("I;16", "I;16B", "I;16L", "I;16N")
LOSSY = ("JPEG", "MPO")
DARK = 16  # of 255: what 12 bits come to when they are stored in 16


@dataclass(frozen=True)
class FrameFacts:
    """Sizes are (height, width). `doubt`: a sentence, or None."""

    size: tuple[int, int]  # as `read_frame` reads it
    upright_size: tuple[int, int]  # as `read_upright_frame` reads it
    is_turned: bool  # by its EXIF data
    is_plain_jpeg: bool  # in RGB and not turned: every reader sees the same picture
    doubt: str | None


def read_frame(path: Path) -> np.ndarray:
    """(H, W, 3) uint8 RGB. Raises FileNotFoundError, or ValueError when it is no frame."""
    return _rgb(open_picture(path, "frame"), path)


def read_upright_frame(path: Path) -> np.ndarray:
    """(H, W, 3) uint8 RGB, turned as its EXIF data say; masked frames are made from it, as published.

    Raises FileNotFoundError, or ValueError when it is no frame.
    """
    picture = open_picture(path, "frame")
    return _rgb(picture, path, picture.upright())


def examine_frame(path: Path) -> FrameFacts:
    """What is known of a frame that can be used. Raises FileNotFoundError, or ValueError when it is no frame."""
    picture = open_picture(path, "frame")
    rgb = _rgb(picture, path)
    is_turned = picture.orientation != UPRIGHT
    is_plain_jpeg = (picture.format, picture.image.mode) == ("JPEG", "RGB") and not is_turned
    return FrameFacts(picture.size, picture.upright_size, is_turned, is_plain_jpeg, _frame_doubt(picture, rgb))


def _frame_doubt(picture: Picture, rgb: np.ndarray) -> str | None:
    doubts = []
    if (picture.is_deep or picture.image.mode in GREY_16) and 0 < rgb.max() < DARK:
        got = f"values below {2**8 * (int(rgb.max()) + 1)}, which look black"
        doubts.append(f"expected a frame that uses its 16 bits, got {got}")
    if picture.is_series:
        doubts.append("expected one picture, got several; the first is used")
    if picture.image.has_transparency_data and picture.image.convert("RGBA").getextrema()[3][0] < 255:
        doubts.append("expected an opaque picture, got transparency, which is ignored")
    return "; ".join(doubts) or None


def _rgb(picture: Picture, path: Path, image: Image.Image | None = None) -> np.ndarray:
    """(H, W, 3) uint8 of the picture, or of the same one upright. Of 16 bits the upper 8 count."""
    image = image or picture.image
    is_grey_16 = image.mode in GREY_16 or (image.mode, picture.format) == ("I", "PPM")
    if image.mode in ("F", "I") and not is_grey_16:
        raise ValueError(f"{path}: expected a frame of 8 or 16 bits, got one of numbers without a known range")
    if is_grey_16:
        values = np.asarray(image)
        rgb = np.repeat((values >> 8).astype(np.uint8)[..., None], 3, axis=2)
    else:
        rgb = np.asarray(image.convert("RGB"))
        values = _deep_values(path)[..., :3] if picture.is_deep and not rgb.any() else rgb
    if not rgb.any() and values.any():
        raise ValueError(f"{path}: expected a frame that uses its 16 bits, got values up to {values.max()}: black")
    return rgb


def read_mask(path: Path) -> np.ndarray:
    """(H, W) bool, True inside. Raises FileNotFoundError, or ValueError when it is no mask; see `mask_values`."""
    return examine_mask(path).inside


def examine_mask(path: Path) -> MaskReading:
    """The mask, upright, and what is doubtful about it. Raises FileNotFoundError, ValueError as `read_mask`."""
    picture = open_picture(path, "mask")
    if picture.is_series:
        raise ValueError(f"{path}: expected one picture, got an animation or several pages")
    try:
        values = _stored_values(picture, path)
        if picture.format in LOSSY and 0 < values.max() < LOWEST_TOP:
            low = f"values up to {values.max()}, which JPEG blurs"
            raise ValueError(f"expected a file that keeps numbers of objects, such as PNG, got {low}")
        return read_values(values)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _stored_values(picture: Picture, path: Path) -> np.ndarray:
    """(H, W) or (H, W, channels) in the file's own numbers, upright. Raises ValueError."""
    if picture.is_deep:
        return picture.upright_values(_deep_values(path))
    image = picture.upright()
    if "transparency" in image.info:
        return np.asarray(image.convert("RGBA"))
    if image.mode == "P":
        _check_palette(image)
    if image.mode == "1":
        return np.asarray(image.convert("L"))
    return np.asarray(image if image.mode in ("L", "LA", "RGB", "RGBA", "F", "I", *GREY_16) else image.convert("RGB"))


def _deep_values(path: Path) -> np.ndarray:
    """(H, W, channels) uint16: Pillow has 8 bits only."""
    try:
        values = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        values = None
    if values is None:
        raise ValueError("expected an image, got a file that cannot be decoded")
    return values


def _check_palette(image: Image.Image) -> None:
    """Raises ValueError where numbers of the palette that differ look the same."""
    numbers = [number for _, number in image.getcolors()]
    if len(numbers) > 1 and len(image.convert("RGB").getcolors(256)) == 1:
        raise ValueError(f"expected a palette that shows the object, got one colour for {len(numbers)} numbers")


def encode_mask(mask: np.ndarray) -> bytes:
    """(H, W) bool -> a PNG file's bytes: white where True, black elsewhere."""
    return cv2.imencode(".png", mask.astype(np.uint8) * 255)[1].tobytes()


def write_picture(path: Path, pixels: np.ndarray, **options) -> None:
    """Write (H, W, 3) uint8 RGB as PNG or JPEG, after the name's ending. `options` are Pillow's of that format."""
    with whole_file(path) as temporary:
        Image.fromarray(pixels).save(temporary, format=Image.registered_extensions()[path.suffix.lower()], **options)


def resize_mask(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H, W) bool -> `size` (height, width), nearest neighbour."""
    if mask.shape == size:
        return mask
    return cv2.resize(mask.astype(np.uint8), size[::-1], interpolation=cv2.INTER_NEAREST) > 0


def mask_image(frame: np.ndarray, mask: np.ndarray, view: str) -> np.ndarray:
    """One view of a mask as a picture, uint8, grey (H, W) or RGB (H, W, 3).

    mask: white on black, grey, the mask's own size. masked_frame: the frame, black outside the mask (paper Sec. 4).
    mask_overlay: the frame, half green inside the mask (paper Sec. D).
    """
    if view == "mask":
        return mask.astype(np.uint8) * 255
    inside = resize_mask(mask, frame.shape[:2])
    if view == "masked_frame":
        return cv2.bitwise_and(frame, frame, mask=inside.astype(np.uint8))
    tinted = frame * (1 - OVERLAY_ALPHA) + np.float64(OVERLAY_COLOUR) * OVERLAY_ALPHA
    return np.where(inside[..., None], tinted.round(), frame).astype(np.uint8)
