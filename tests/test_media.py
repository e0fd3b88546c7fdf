"""Frames and masks as pixels: equal to the golden tensors, and right at the edges."""

import numpy as np
import pytest
import torch
from PIL import Image

from dataset.annotations import read_train
from dataset.media import PixelTransform, mask_image, read_frame, read_mask, resize_mask
from models.checkpoint import pixel_settings
from tests.conftest import BENCHMARK, GOLDEN, golden_json
from utils.mask_modes import mask_views

TOLERANCE = 1e-5


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


@pytest.mark.parametrize("row", golden_json("01_meta.json")["masks"], ids=lambda row: row["mask_path"])
def test_mask_views(transform, golden_pixels, row):
    frame = read_frame(BENCHMARK / golden_json("01_meta.json")["frame"])
    mask = read_mask(BENCHMARK / row["mask_path"])
    views = [transform(mask_image(frame, mask, view)) for view in ("mask", "masked_frame")]
    assert float(views[0].double().mean()) == pytest.approx(row["mean_mask"], abs=1e-6)
    assert float(views[1].double().mean()) == pytest.approx(row["mean_masked_image"], abs=1e-6)
    assert float(torch.stack(views).double().mean()) == pytest.approx(row["mean_mask_and_masked_frame"], abs=1e-6)


def test_full_mask_pixels(transform, golden_pixels):
    meta = golden_json("01_meta.json")
    frame = read_frame(BENCHMARK / meta["frame"])
    mask = read_mask(BENCHMARK / meta["masks"][1]["mask_path"])
    for view, name in (("mask", "cand1.mask"), ("masked_frame", "cand1.masked_image")):
        pixels = transform(mask_image(frame, mask, view))
        np.testing.assert_allclose(pixels, golden_pixels[name].reshape(pixels.shape), atol=TOLERANCE)


def test_other_candidates_and_video(transform, golden_pixels):
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
