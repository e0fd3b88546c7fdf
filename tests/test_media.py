"""Frames and masks as pixels: equal to the golden tensors, and right at the edges."""

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from dataset.benchmark.annotations import read_train
from dataset.media.images import mask_image, read_frame, read_mask, read_upright_frame, resize_mask
from dataset.media.pixels import PixelTransform
from models.weights.checkpoint import pixel_settings
from tests.conftest import BENCHMARK, GOLDEN, golden_json
from utils.mask_modes import mask_views

TOLERANCE = 1e-5
GOLDEN_VIEWS = {"mask": "mask", "masked_image": "masked_frame"}


@pytest.fixture(scope="module")
def transform(model_args) -> PixelTransform:
    settings = pixel_settings(model_args)
    return PixelTransform(settings["size"]["height"], tuple(settings["image_mean"]), tuple(settings["image_std"]))


@pytest.fixture(scope="module")
def golden_pixels():
    return np.load(GOLDEN / "01_pixels.npz")


def test_key_frame(transform, golden_pixels):
    frame = transform(read_frame(BENCHMARK / golden_json("01_meta.json")["frame"]))
    np.testing.assert_allclose(frame, golden_pixels["frame"].reshape(frame.shape), atol=TOLERANCE)


@pytest.mark.parametrize(
    "picture",
    [
        np.array([[0, 1], [1, 0]], np.uint8),
        np.array([[0, 300], [300, 0]], np.uint16),
        np.array([[[0, 0, 0], [0, 0, 1]], [[0, 0, 1], [0, 0, 0]]], np.uint8),
    ],
    ids=["grey", "16 bits", "faint colour"],
)
def test_what_is_not_black_is_inside(tmp_path, picture):
    assert cv2.imwrite(str(tmp_path / "mask.png"), picture)
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.png"), [[False, True], [True, False]])


@pytest.mark.parametrize("row", golden_json("01_meta.json")["masks"], ids=lambda row: row["mask_path"])
def test_mask_views(transform, golden_pixels, row):
    """Candidate 1 is stored in full, the others at every fourth pixel; the means are of the full tensors."""
    frame = read_upright_frame(BENCHMARK / golden_json("01_meta.json")["frame"])
    mask = read_mask(BENCHMARK / row["mask_path"])
    views = {name: transform(mask_image(frame, mask, view)) for name, view in GOLDEN_VIEWS.items()}
    for name, pixels in views.items():
        assert float(pixels.double().mean()) == pytest.approx(row[f"mean_{name}"], abs=1e-6)
        stored, step = (f"cand1.{name}", 1) if row["index"] == 1 else (f"cand{row['index']}.{name}.stride4", 4)
        np.testing.assert_allclose(pixels[None, :, ::step, ::step], golden_pixels[stored], atol=TOLERANCE)
    both = torch.stack(list(views.values()))
    assert float(both.double().mean()) == pytest.approx(row["mean_mask_and_masked_frame"], abs=1e-6)


def test_masked_frames_honour_exif_and_plain_frames_do_not(tmp_path):
    """As published: one is decoded by OpenCV, the other by Pillow."""
    picture = Image.fromarray(np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3))
    exif = picture.getexif()
    exif[0x0112] = 6  # turned by a quarter
    picture.save(tmp_path / "0.jpg", exif=exif, quality=95)
    assert read_frame(tmp_path / "0.jpg").shape == (6, 8, 3)
    assert read_upright_frame(tmp_path / "0.jpg").shape == (8, 6, 3)


def test_towers_of_another_size_see_the_published_size_first():
    picture = np.random.default_rng(0).integers(0, 255, (300, 400, 3), np.uint8)
    small = PixelTransform(28, (0, 0, 0), (1, 1, 1))(picture)
    steps = Image.fromarray(picture).resize((224, 224), Image.Resampling.BICUBIC)
    steps = np.asarray(steps.resize((28, 28), Image.Resampling.BICUBIC), np.float32) / 255
    np.testing.assert_allclose(small, steps.transpose(2, 0, 1), atol=1e-6)


@pytest.mark.parametrize("rows", [(0, 90), (30, 31), (12, 60), (0, 0)], ids=str)
@pytest.mark.parametrize("grey", [False, True])
def test_black_rows_change_nothing(rows, grey):
    picture = np.random.default_rng(0).integers(0, 256, (90, 160, 3), np.uint8)
    picture[: rows[0]], picture[rows[1] :] = 0, 0
    picture = picture[..., 0] if grey else picture
    whole = Image.fromarray(picture).convert("RGB").resize((224, 224), Image.Resampling.BICUBIC)
    pixels = PixelTransform(224, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))(picture)
    np.testing.assert_array_equal((pixels * 255).round().permute(1, 2, 0), np.asarray(whole))


def test_video_frames(transform, golden_pixels):
    sample = read_train(BENCHMARK).samples[0]
    video = torch.stack([transform(read_frame(path)) for path in sample.video_paths])
    expected = golden_pixels["video0.stride8"]
    np.testing.assert_allclose(video[..., ::8, ::8].reshape(expected.shape), expected, atol=TOLERANCE)


def test_overlay_is_half_green_inside_and_untouched_outside():
    frame = np.full((4, 4, 3), 100, np.uint8)
    mask = np.zeros((4, 4), bool)
    mask[:2] = True
    picture = mask_image(frame, mask, "mask_overlay")
    assert picture[0, 0].tolist() == [50, 178, 50]
    assert picture[3, 3].tolist() == [100, 100, 100]


@pytest.mark.parametrize(
    ("mode", "views"),
    [
        ("mask", ("mask",)),
        ("binary_mask", ("mask",)),
        ("masked_image", ("masked_frame",)),
        ("mask_and_masked_frame", ("mask", "masked_frame")),
        ("mask+masked_frame", ("mask", "masked_frame")),
        ("mask_overlay", ("mask_overlay",)),
    ],
)
def test_mask_modes(mode, views):
    assert mask_views(mode) == views


def test_unknown_mask_mode_is_refused():
    with pytest.raises(ValueError, match="mask_encode_mode: expected one of .*, got 'both'"):
        mask_views("both")


@pytest.mark.parametrize("style", ["255", "1", "red", "palette"])
def test_mask_styles_mean_the_same(tmp_path, style):
    truth = np.zeros((6, 8), np.uint8)
    truth[1:3, 2:5] = 1
    pictures = {
        "255": Image.fromarray(truth * 255),
        "1": Image.fromarray(truth),
        "red": Image.fromarray(np.stack([truth * 255, truth * 0, truth * 0], -1)),
        "palette": Image.fromarray(truth * 255).convert("P"),
    }
    pictures[style].save(tmp_path / "mask.png")
    assert (read_mask(tmp_path / "mask.png") == truth.astype(bool)).all()


def test_resize_mask_is_nearest():
    mask = np.array([[True, False], [False, True]])
    assert resize_mask(mask, (4, 6)).sum() == 12
    assert resize_mask(mask, (2, 2)) is mask


def test_truncated_frame_is_refused(tmp_path):
    data = (BENCHMARK / "media/vB2/frames/0.jpg").read_bytes()
    (tmp_path / "0.jpg").write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match="0.jpg: expected an image, got a file that cannot be decoded"):
        read_frame(tmp_path / "0.jpg")
