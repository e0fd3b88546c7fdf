"""Masks as people save them: what is meant is taken, with a doubt where there is one; what is no mask is refused."""

import io
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from dataset.media.images import examine_mask, read_mask
from tests.right_benchmark import GT, area

OTHER = area((70, 90, 80, 110))
ROUND = cv2.circle(np.zeros(GT.shape, np.uint8), (64, 48), 30, 1, cv2.FILLED).astype(bool)
PHOTO = np.random.default_rng(0).integers(0, 256, (*GT.shape, 3), np.uint8)


def white(mask) -> np.ndarray:
    return mask.astype(np.uint8) * 255


def with_opacity(colours, mask=GT, opaque=255) -> Image.Image:
    grey_or_rgb = np.atleast_3d(colours)
    return Image.fromarray(np.concatenate([grey_or_rgb, mask.astype(np.uint8)[..., None] * np.uint8(opaque)], axis=2))


def coloured(*parts) -> Image.Image:
    picture = np.zeros((*GT.shape, 3), np.uint8)
    for mask, colour in parts:
        picture[mask] = colour
    return Image.fromarray(picture)


def palette(numbers, colours, **info) -> Image.Image:
    image = Image.fromarray(numbers.astype(np.uint8)).convert("P")
    image.putdata(numbers.astype(np.uint8).ravel().tolist())
    image.putpalette([part for colour in colours for part in colour])
    image.info |= info
    return image


def saved(image: Image.Image, kind="PNG", **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def by_opencv(picture, ending=".png") -> bytes:
    return cv2.imencode(ending, picture)[1].tobytes()


def blurred(sigma, mask=ROUND):
    return cv2.GaussianBlur(white(mask), (0, 0), sigma)


def half_of_zeros(content: bytes) -> bytes:
    return content[: len(content) // 2] + bytes(len(content) // 2)


FULL = np.full((*GT.shape, 1), 255, np.uint8)
RIGHT = {
    "white": saved(Image.fromarray(white(GT))),
    "ones": saved(Image.fromarray(white(GT) // 255)),
    "one bit": saved(Image.fromarray(GT)),
    "16 bits": by_opencv(GT.astype(np.uint16) * 65535),
    "ones of 16 bits": by_opencv(GT.astype(np.uint16)),
    "ones of 16 bits in colour": by_opencv(np.repeat(GT.astype(np.uint16)[..., None], 3, 2)),
    "float TIFF": by_opencv(GT.astype(np.float32), ".tiff"),
    "red": saved(coloured((GT, (200, 10, 10)))),
    "palette": saved(palette(GT, [(0, 0, 0), (128, 0, 0)])),
    "opaque RGBA": saved(Image.fromarray(np.repeat(white(GT)[..., None], 4, 2) | np.uint8([0, 0, 0, 255]))),
    "BMP": saved(Image.fromarray(white(GT)), "BMP"),
    "lossless WebP": saved(Image.fromarray(white(GT)), "WEBP", lossless=True),
}
BY_OPACITY = {
    "white on nothing": saved(with_opacity(FULL)),
    "black on nothing": saved(with_opacity(0 * FULL)),
    "RGBA white": saved(with_opacity(np.repeat(FULL, 3, 2))),
    "cut out of its picture": saved(with_opacity(PHOTO)),
    "cut out, black behind": saved(with_opacity(PHOTO * GT[..., None])),
    "half transparent red": saved(with_opacity(np.uint8([[[200, 0, 0]]]).repeat(96, 0).repeat(128, 1), opaque=128)),
    "16 bits": by_opencv(np.dstack([np.full((*GT.shape, 3), 65535, np.uint16), GT.astype(np.uint16) * 65535])),
    "palette": saved(palette(GT, [(255, 255, 255), (255, 255, 255)]), transparency=b"\x00\xff"),
    "colour key": saved(Image.fromarray(white(~GT) // 2), transparency=127),
}
SOFT = {
    "JPEG": (saved(Image.fromarray(white(GT)), "JPEG"), GT),
    "JPEG of a disc": (saved(Image.fromarray(white(ROUND)), "JPEG", quality=50), ROUND),
    "JPEG in red": (saved(coloured((ROUND, (220, 20, 30))), "JPEG", quality=90), ROUND),
    "JPEG and then PNG": (saved(Image.open(io.BytesIO(saved(Image.fromarray(white(GT)), "JPEG")))), GT),
    "lossy WebP": (saved(Image.fromarray(white(GT)), "WEBP", quality=40), GT),
    "smooth": (saved(Image.fromarray(blurred(1.5))), ROUND),
    "very smooth": (saved(Image.fromarray(blurred(3))), ROUND),
    "smooth, of 16 bits": (by_opencv(blurred(1.5).astype(np.uint16) * 257), ROUND),
    "smooth float": (by_opencv(blurred(1.5).astype(np.float32) / 255, ".tiff"), ROUND),
    "video range": (saved(Image.fromarray(np.where(GT, 235, 16).astype(np.uint8))), GT),
    "smooth opacity": (saved(Image.fromarray(np.dstack([FULL[..., 0], blurred(1)]))), ROUND),
}
REFUSED = {
    "numbers of objects": (saved(Image.fromarray(GT + np.uint8(2) * OTHER)), r"got 3 values \(0, 1, 2\)"),
    "numbers of 16 bits": (by_opencv(GT * np.uint16(300) + OTHER * np.uint16(150)), "got 3 values"),
    "a tinted ground": (
        saved(coloured((GT | ~GT, (0, 0, 60)), (GT, (255, 255, 255)))),
        "expected black outside the object, got 2",
    ),
    "numbers without black": (saved(Image.fromarray(GT + np.uint8(1))), "expected black outside the object"),
    "an object and its void border": (
        saved(Image.fromarray(np.where(area((18, 62, 18, 62)) & ~GT, 255, GT).astype(np.uint8))),
        r"got 3 values \(0, 1, 255\)",
    ),
    "three shades": (saved(Image.fromarray(white(GT) | white(OTHER) // 2)), r"got 3 values \(0, 127, 255\)"),
    "two colours": (saved(coloured((GT, (200, 0, 0)), (OTHER, (0, 200, 0)))), "got 3 colours"),
    "254 beside 255": (saved(Image.fromarray(white(GT) | (white(OTHER) - OTHER))), r"got 3 values \(0, 254, 255\)"),
    "ones in a JPEG": (saved(Image.fromarray(white(GT) // 255), "JPEG"), "which JPEG blurs"),
    "damaged AVIF": (half_of_zeros(saved(coloured((GT, (200, 0, 0))), "AVIF")), "cannot be decoded"),
    "palette of two objects": (
        saved(palette(GT + 2 * OTHER, [(0, 0, 0), (128, 0, 0), (0, 128, 0)])),
        "got 3 colours",
    ),
    "palette that shows nothing": (saved(palette(GT, [(0, 0, 0), (0, 0, 0)])), "got one colour for 2 numbers"),
    "two colours on nothing": (
        saved(with_opacity(np.asarray(coloured((GT, (200, 0, 0)), (OTHER, (0, 200, 0)))), GT | OTHER)),
        "got 2 colours where it is opaque",
    ),
    "a mask in a transparent margin": (
        saved(with_opacity(np.repeat(white(GT)[..., None], 3, 2), area((5, 90, 5, 120)))),
        "got black and white where it is opaque",
    ),
    "nothing to be seen": (saved(with_opacity(FULL, np.zeros_like(GT))), "transparent everywhere"),
    "opacity in steps": (
        saved(Image.fromarray(np.dstack([FULL[..., 0], white(GT) | white(OTHER) // 2]))),
        "transparency: expected black and one other value",
    ),
    "probabilities": (saved(Image.fromarray(blurred(25))), "cut probabilities at a threshold"),
    "a photo": (saved(Image.fromarray(PHOTO)), "as a picture has them"),
    "a photo on black": (saved(Image.fromarray(PHOTO * GT[..., None])), "as a picture has them"),
    "an animation": (
        saved(Image.fromarray(white(GT)), "GIF", save_all=True, append_images=[Image.fromarray(white(OTHER))]),
        "got an animation",
    ),
    "negative numbers": (by_opencv(GT.astype(np.float32) - 0.5, ".tiff"), "expected values from 0"),
    "no number": (by_opencv(np.where(GT, np.nan, 0).astype(np.float32), ".tiff"), "expected values from 0"),
    "9000 x 9000": (saved(Image.new("1", (9000, 9000))), "at most 67,108,864 pixels, got 9000 x 9000"),
    "half a file": (RIGHT["white"][: len(RIGHT["white"]) // 2], "cannot be decoded"),
    "half a JPEG": (SOFT["JPEG"][0][: len(SOFT["JPEG"][0]) // 2], "cannot be decoded"),
    "a wrong check sum": (RIGHT["red"][:-20] + b"\xff" + RIGHT["red"][-19:], "cannot be decoded"),
    "EPS": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n", "cannot be decoded"),
}


@pytest.fixture
def path_of(tmp_path):
    def write(content: bytes):
        (tmp_path / "m.png").write_bytes(content)
        return tmp_path / "m.png"

    return write


@pytest.mark.parametrize("name", RIGHT)
def test_right_masks(path_of, name):
    mask, doubt = examine_mask(path_of(RIGHT[name]))
    np.testing.assert_array_equal(mask, GT)
    assert doubt is None


@pytest.mark.parametrize("name", BY_OPACITY)
def test_what_is_opaque_is_inside(path_of, name):
    mask, doubt = examine_mask(path_of(BY_OPACITY[name]))
    np.testing.assert_array_equal(mask, GT)
    assert "what is not transparent is inside" in doubt


@pytest.mark.parametrize("name", SOFT)
def test_blurred_masks_are_cut_at_half(path_of, name):
    content, truth = SOFT[name]
    mask, doubt = examine_mask(path_of(content))
    assert np.count_nonzero(mask ^ truth) <= 0.02 * truth.sum()
    assert "from half the highest on is inside" in doubt


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_mask_is_refused(path_of, name):
    content, sentence = REFUSED[name]
    with pytest.raises(ValueError, match=f"m.png: .*{sentence}"):
        read_mask(path_of(content))


def test_empty_and_full_masks_are_masks(path_of):
    assert not read_mask(path_of(saved(Image.fromarray(white(GT & False))))).any()
    assert read_mask(path_of(saved(Image.fromarray(white(GT | True))))).all()


def test_a_mask_may_be_inverted(path_of):
    assert "is it inverted?" in examine_mask(path_of(saved(Image.fromarray(white(~GT))))).doubt


@pytest.mark.parametrize("width", [128, 160, 1600])
@pytest.mark.parametrize("depth", [8, 16])
def test_masks_are_turned_as_their_exif_data_say(path_of, width, depth):
    mask, exif = np.pad(GT, ((0, 0), (0, width - GT.shape[1]))), Image.Exif()
    exif[0x0112] = 6
    content, chunk = by_opencv(np.dstack([mask] * 3) * np.uint16(2**depth - 1)), b"eXIf" + exif.tobytes()[6:]
    if depth == 8:
        content = saved(Image.fromarray(np.dstack([white(mask)] * 3)))
    chunk = (len(chunk) - 4).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    np.testing.assert_array_equal(read_mask(path_of(content[:33] + chunk + content[33:])), np.rot90(mask, -1))
