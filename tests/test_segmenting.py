"""Boxes -> masks: SAM2's geometry with a stand-in, and tiny models of the published classes."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import Sam2VideoModel

from models.segmenting.pictures import IMAGENET, Normalisation
from models.segmenting.segment import Segmenter, load_segmenter
from models.segmenting.track import Tracker
from tests.object_models import SAM2_SIDE, save_sam2

HEIGHT, WIDTH = 48, 96
BOXES = [(12, 6, 48, 30), (0, 0, 96, 48), (60.0, 30.0, 96.0, 48.0)]


@pytest.fixture(scope="module", params=[False, True], ids=["sam2", "sam2_video"])
def folder(request, tmp_path_factory):
    return save_sam2(tmp_path_factory.mktemp("sam2"), video=request.param)


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


class FillsBoxes(torch.nn.Module):
    """Stands in for SAM2: the mask of a box is the box, at a quarter of the input's 1024 pixels."""

    def __init__(self):
        super().__init__()
        self.device = torch.device("cpu")
        self.config = SimpleNamespace(prompt_encoder_config=SimpleNamespace(image_size=1024))

    def forward(self, pixel_values, input_boxes, multimask_output):
        assert pixel_values.shape == (1, 3, 1024, 1024) and not multimask_output
        self.seen = pixel_values
        masks = torch.full((1, input_boxes.shape[1], 1, 256, 256), -5.0)
        for mask, box in zip(masks[0, :, 0], input_boxes[0], strict=True):
            x1, y1, x2, y2 = (round(float(value) / 4) for value in box)
            mask[y1:y2, x1:x2] = 5.0
        return SimpleNamespace(pred_masks=masks)


@pytest.mark.parametrize("turned", [False, True])
def test_masks_come_back_to_the_pixels_of_the_picture(image, turned):
    boxes = [(y1, x1, y2, x2) for x1, y1, x2, y2 in BOXES] if turned else BOXES
    image = image.transpose(1, 0, 2).copy() if turned else image
    masks = Segmenter(FillsBoxes(), Normalisation((0, 0, 0), (1, 1, 1)))(image, boxes)
    expected = np.zeros((3, *image.shape[:2]), dtype=bool)
    for mask, (x1, y1, x2, y2) in zip(expected, np.int64(boxes), strict=True):
        mask[y1:y2, x1:x2] = True
    assert masks.dtype == bool
    np.testing.assert_array_equal(masks, expected)


def test_the_picture_fills_the_square_without_its_aspect_ratio():
    image = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    image[:, WIDTH // 2 :] = 255
    segmenter = Segmenter(FillsBoxes(), Normalisation((0, 0, 0), (0.5, 0.5, 0.5)))
    segmenter(image, BOXES)
    seen = segmenter.model.seen[0]
    assert (seen[:, :, :500] == 0).all() and (seen[:, :, 524:] == 2).all()


def test_tiny_models(folder, image):
    segmenter = load_segmenter(folder)
    masks = segmenter(image, BOXES)
    assert masks.shape == (3, HEIGHT, WIDTH) and masks.dtype == bool and 0 < masks.mean() < 1
    np.testing.assert_array_equal(segmenter(image, BOXES[1:2])[0], masks[1])  # a box has no say in another's mask
    assert segmenter(image, []).shape == (0, HEIGHT, WIDTH)
    assert segmenter.image_size == SAM2_SIDE


def test_a_mask_is_a_prompt_of_its_own(folder, image):
    segmenter = load_segmenter(folder)
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[6:30, 12:48] = True
    given = []
    segmenter.model.prompt_encoder.mask_embed.register_forward_pre_hook(lambda _, arguments: given.append(arguments[0]))
    refined = segmenter.refine(image, mask)
    assert refined.shape == (HEIGHT, WIDTH) and refined.dtype == bool
    (prompt,) = given  # SAM2 reads masks at a quarter of its input's size
    assert prompt.shape == (1, 1, SAM2_SIDE // 4, SAM2_SIDE // 4)
    assert (prompt.min().item(), prompt.max().item()) == pytest.approx((-10, 10))
    assert (prompt > 0).float().mean().item() == pytest.approx(mask.mean(), abs=0.02)


def test_an_object_is_followed_from_its_box_to_both_ends(tmp_path, image):
    folder = save_sam2(tmp_path, video=True)
    model = Sam2VideoModel.from_pretrained(folder).eval()
    is_seen = model.mask_decoder.pred_obj_score_head.proj_out.bias.data.fill_(1e3)
    asked, forward = [], model.forward

    def note(session, frame_idx=None, reverse=False):
        asked.append((frame_idx, reverse))
        return forward(session, frame_idx=frame_idx, reverse=reverse)

    model.forward = note
    images = [np.roll(image, 3 * number, axis=1) for number in range(5)]
    logits = Tracker(model, IMAGENET).small_logits(images, 2, BOXES[0])
    assert [frame for frame, _ in asked] == [2, 3, 4, 2, 1, 0]
    assert logits.shape == (5, SAM2_SIDE // 4, SAM2_SIDE // 4) and np.isfinite(logits).all()
    alone = load_segmenter(folder).small_logits(images[2], BOXES[:1])[0]
    np.testing.assert_allclose(logits[2], alone, atol=1e-4)  # the frame of the box is that of the image model
    others = Tracker(model, IMAGENET).small_logits(images, 2, BOXES[2])
    assert not np.allclose(logits[0], others[0])  # the box decides what is followed
    is_seen.fill_(-1e3)
    assert (Tracker(model, IMAGENET).small_logits(images, 2, BOXES[0]) < 0).all()  # an object that is gone has no mask


def test_half_precision_stays_close(folder, image):
    full, half = (load_segmenter(folder, "cpu", dtype)(image, BOXES) for dtype in (torch.float32, torch.bfloat16))
    assert (full != half).mean() < 0.02


def test_wrong_boxes_are_refused(folder, image):
    segmenter = load_segmenter(folder)
    for wrong in ([(1, 2, 3)], [(1, 2, 3, float("nan"))]):
        with pytest.raises(ValueError, match="SAM2: expected boxes of four finite numbers"):
            segmenter(image, wrong)


def test_wrong_folders_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere: expected a folder with a sam2 or sam2_video model"):
        load_segmenter(tmp_path / "nowhere")
    folder = save_sam2(tmp_path / "sam2")
    tensors = load_file(folder / "model.safetensors")
    del tensors["no_memory_embedding"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ValueError, match="sam2: expected all weights of Sam2Model, got none for no_memory_embedding"):
        load_segmenter(folder)
