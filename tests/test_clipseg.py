"""CLIPSeg on the frames of a video: what it gives is what the model itself gives for each frame alone."""

import numpy as np
import pytest
import torch
from torch import nn
from transformers import CLIPSegForImageSegmentation

from models.segmenting.clipseg import PatchPixels, load_clipseg
from models.segmenting.pictures import make_pixel_values
from tests.object_models import save_clipseg

TEXTS = ["the dog", "the cat on the left"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_clipseg(tmp_path_factory.mktemp("models") / "clipseg")


@pytest.fixture
def segmenter(folder):
    return load_clipseg(folder, torch.device("cpu"))


@pytest.fixture
def counted(segmenter):
    """How many frames each call of the vision encoder got."""
    counts = []
    vision = segmenter.model.clip.vision_model
    vision.register_forward_pre_hook(lambda _, given: counts.append(len(given[0])))
    return counts


def frames(seed, count=3, size=(48, 64)):
    return list(np.random.default_rng(seed).integers(0, 256, (count, *size, 3), dtype=np.uint8))


def alone(folder, segmenter, image, text):
    """The soft mask (64, 64) of one frame, by the published class."""
    model = CLIPSegForImageSegmentation.from_pretrained(folder).eval()
    words = segmenter.tokenizer(text, return_tensors="pt")
    pixels = make_pixel_values(image, (64, 64), segmenter.normalisation)
    with torch.inference_mode():
        return model(
            pixel_values=pixels, **{key: words[key] for key in ("input_ids", "attention_mask")}
        ).logits.sigmoid()


def test_every_frame_is_as_alone(folder, segmenter):
    images = frames(0, size=(64, 64))
    for text in (*TEXTS, TEXTS[0]):
        found = segmenter.in_frames(images, text)
        assert len(found) == len(images)
        for image, own in zip(images, found, strict=True):
            expected = alone(folder, segmenter, image, text).view(64, 64).numpy()
            assert [one.soft for one in own] == [pytest.approx(expected, abs=1e-5)] * bool((expected > 0.5).any())


def test_frames_are_encoded_once_for_all_texts(segmenter, counted):
    images = frames(1)
    for text in TEXTS:
        segmenter.in_frames(images, text)
    segmenter.in_frames([image.copy() for image in images], TEXTS[0])
    assert counted == [3]
    segmenter.in_frames(images[:2], TEXTS[0])
    segmenter(images[0], TEXTS[0])
    assert counted == [3, 2, 1]


def test_other_frames_have_their_own_objects(segmenter, folder):
    one, other = frames(2), frames(3)
    segmenter.in_frames(one, TEXTS[0])
    again, fresh = segmenter.in_frames(other, TEXTS[0]), load_clipseg(folder, torch.device("cpu"))
    for own, expected in zip(again, fresh.in_frames(other, TEXTS[0]), strict=True):
        assert [one.score for one in own] == [one.score for one in expected]
    assert again[0][0].score != segmenter.in_frames(one, TEXTS[0])[0][0].score


@pytest.mark.parametrize("side", [1, 4])
def test_patches_are_those_of_a_transposed_convolution(side):
    torch.manual_seed(0)
    convolution = nn.ConvTranspose2d(5, 1, side, stride=side)
    values = torch.randn(2, 5, 3, 6)
    assert torch.allclose(PatchPixels(convolution)(values), convolution(values), atol=1e-6)


def test_every_region_is_an_object_the_best_first(segmenter):
    logits = np.full((64, 64), -5, np.float32)
    logits[4:14, 4:14], logits[30:40, 30:40], logits[60, 60] = 1, 3, 9  # two regions and a speck
    whole, best, worst = segmenter._objects(logits, (64, 64), most=9)
    assert whole.mask.sum() == 201 and best.mask[35, 35] and worst.mask[10, 10] and best.score > worst.score
    assert not best.soft[10, 10] and best.soft[35, 35] == whole.soft[35, 35]
    assert len(segmenter._objects(logits, (64, 64), most=2)) == 2
    segmenter.one_region = True
    (only,) = segmenter._objects(logits, (64, 64), most=1)
    assert np.array_equal(only.mask, best.mask)
