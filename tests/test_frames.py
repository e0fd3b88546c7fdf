"""Frames of unusual files: every reader sees the same picture, and what is no frame is refused by name."""

import cv2
import numpy as np
import pytest
from PIL import Image

from dataset.media.frame_folder import choose_frames, find_frames
from dataset.media.images import examine_frame, read_frame, read_upright_frame
from dataset.media.usable import usable_frame

PICTURE = np.arange(40 * 60 * 3, dtype=np.uint8).reshape(40, 60, 3) // 2 + 40
DEEP = PICTURE.astype(np.uint16) * 257
KINDS = {
    "16 bits": ("a.png", DEEP, PICTURE),
    "16 bits, grey": ("a.png", DEEP[..., 0], np.repeat(PICTURE[..., :1], 3, 2)),
    "16 bits, grey TIFF": ("a.tiff", DEEP[..., 0], np.repeat(PICTURE[..., :1], 3, 2)),
    "16 bits with opacity": ("a.png", np.dstack([DEEP, np.full(DEEP.shape[:2], 65535, np.uint16)]), PICTURE),
    "grey": ("a.png", PICTURE[..., 0], np.repeat(PICTURE[..., :1], 3, 2)),
    "BMP": ("a.bmp", PICTURE, PICTURE),
}


@pytest.mark.parametrize("name", KINDS)
def test_all_readers_see_the_same_picture(tmp_path, name):
    file, stored, expected = KINDS[name]
    colours = stored if stored.ndim == 2 else np.dstack([stored[..., 2::-1], stored[..., 3:]])
    assert cv2.imwrite(str(tmp_path / file), colours)
    np.testing.assert_array_equal(read_frame(tmp_path / file), expected)
    np.testing.assert_array_equal(read_upright_frame(tmp_path / file), expected)
    assert usable_frame(tmp_path / file).doubt is None


@pytest.mark.parametrize("mode", ["CMYK", "P", "RGBA", "LA", "L", "1", "YCbCr"])
def test_colour_spaces(tmp_path, mode):
    image = Image.fromarray(PICTURE).convert(mode)
    image.save(tmp_path / "a.tif")
    np.testing.assert_array_equal(read_frame(tmp_path / "a.tif"), read_upright_frame(tmp_path / "a.tif"))
    np.testing.assert_array_equal(read_frame(tmp_path / "a.tif"), image.convert("RGB"))


@pytest.mark.parametrize("orientation", range(2, 9))
def test_readers_differ_in_exif_turns_only(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(PICTURE).save(tmp_path / "a.jpg", exif=exif)
    turned = cv2.cvtColor(cv2.imread(str(tmp_path / "a.jpg")), cv2.COLOR_BGR2RGB)
    np.testing.assert_array_equal(read_upright_frame(tmp_path / "a.jpg"), turned)
    assert read_frame(tmp_path / "a.jpg").shape == PICTURE.shape
    verdict = usable_frame(tmp_path / "a.jpg")
    assert verdict.size == turned.shape[:2] and "EXIF data turn it" in verdict.doubt


def test_transparency_and_animations_are_told(tmp_path):
    seen = np.dstack([PICTURE, np.full(PICTURE.shape[:2], 9, np.uint8)])
    Image.fromarray(seen).save(tmp_path / "a.png")
    assert "got transparency, which is ignored" in examine_frame(tmp_path / "a.png").doubt
    Image.fromarray(PICTURE).save(tmp_path / "b.gif", save_all=True, append_images=[Image.fromarray(PICTURE[::-1])])
    assert "got several; the first is used" in examine_frame(tmp_path / "b.gif").doubt


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    ("name", "stored", "sentence"),
    [
        ("a.tiff", PICTURE[..., 0].astype(np.float32), "of 8 or 16 bits, got one of numbers without a known range"),
        ("a.png", PICTURE[..., 0].astype(np.uint16), "uses its 16 bits, got values up to 167"),
        ("a.png", np.zeros((10_000, 10_000), np.uint8), "at most 67,108,864 pixels, got 10000 x 10000"),
        ("a.hdr", PICTURE.astype(np.float32), "cannot be decoded"),
    ],
)
def test_what_is_no_frame_is_refused(tmp_path, name, stored, sentence):
    assert cv2.imwrite(str(tmp_path / name), stored)
    for read in (read_frame, read_upright_frame, usable_frame):
        with pytest.raises(ValueError, match=f"{name}: .*{sentence}"):
            read(tmp_path / name)


def test_wrong_check_sums_are_refused(tmp_path):
    Image.fromarray(PICTURE).save(tmp_path / "a.png")
    content = bytearray((tmp_path / "a.png").read_bytes())
    content[-17] ^= 1  # the check sum of the pixels
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(ValueError, match="cannot be decoded"):
        read_frame(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ([f"{i}.jpg" for i in range(11) if i != 5], "without a gap, got 0, 1, 2, 3, 4, 6, 7, 8, 9, 10"),
        ([*(f"{i}.jpg" for i in range(9)), "mask_9.png"], "names such as 0.jpg, got mask_9.png among them"),
        ([*(f"{i}.jpg" for i in range(9)), "9.png"], "names such as 0.jpg, got 9.png among them"),
        ([*(f"{i}.jpg" for i in range(9)), "9.webp"], "names such as 0.jpg, got 9.webp among them"),
        ([*(f"{i}.jpg" for i in range(9)), "thumb9.jpg"], "got thumb9.jpg among them"),
        ([*(f"{i}.jpg" for i in range(9)), "8.JPG"], "expected each frame number once"),
        ([*(f"{i}.jpg" for i in range(9)), "08.jpg"], "expected each frame number once"),
        ([*(f"{i}.jpg" for i in range(9)), "100.jpg"], "without a gap"),
    ],
)
def test_gaps_and_strangers_are_refused(tmp_path, names, sentence):
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(ValueError, match=sentence):
        find_frames(tmp_path)


@pytest.mark.parametrize(("numbers", "told"), [(range(10), False), (range(1, 11), True), (range(0, 300, 30), True)])
def test_other_numbers_are_told(tmp_path, caplog, numbers, told):
    for number in numbers:
        (tmp_path / f"frame_{number:04d}.JPG").touch()
    (tmp_path / "Thumbs.db").touch()
    assert [int(path.stem[-4:]) for path in find_frames(tmp_path)] == list(numbers)
    assert ("frame 9 is" in caplog.text) == told


@pytest.mark.parametrize(("numbers", "told"), [(range(1, 10), True), (range(12), False)])
def test_other_numbers_are_told_of_any_count(tmp_path, caplog, numbers, told):
    for number in numbers:
        (tmp_path / f"{number}.webp").touch()
    choose_frames(tmp_path, 3)
    assert ("frame 0 is 1.webp, frame 8 is 9.webp" in caplog.text) == told


def test_a_gap_among_another_number_of_frames_is_named(tmp_path):
    for number in (*range(5), *range(6, 12)):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{number}.png")
    with pytest.raises(ValueError, match=r"11 frame numbers without a gap, got 0, 1, .* \(4 is followed by 6\)"):
        choose_frames(tmp_path, 3)
    (tmp_path / "11.png").rename(tmp_path / "5.png")
    paths, shown, places, start = choose_frames(tmp_path, 10)
    assert len(paths) == 10 and paths[shown].name == "10.png" and places[shown] == 10 and not start


@pytest.mark.parametrize(
    ("frame", "fps", "places", "start"),
    [
        (30, 2.5, [7, 10, 12, 15, 17, 20, 22, 25, 27, 30], 3.0),  # the ten seconds that end with the audited frame
        (4, 2.5, [0, 2, 4, 7, 10, 12, 15, 17, 20, 22], 0.0),
        (3, 2.5, [0, 3, 5, 7, 10, 12, 15, 17, 20, 22], 0.0),
        (30, 25, [0, 4, 8, 12, 16, 20, 24, 30, 32, 36], 0.0),  # shorter than ten seconds: spread over all
    ],
)
def test_frames_at_any_rate(tmp_path, frame, fps, places, start):
    for number in range(40):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{number}.png")
    chosen = choose_frames(tmp_path, frame, fps)
    assert chosen.places == places and chosen.start == start
    assert chosen.paths[chosen.audited].name == f"{frame}.png"
