"""Pictures, boxes, masks and videos are prepared for SAM2, without torchvision, as its own processors prepare them."""

import numpy as np
import pytest
import torch
from transformers import Sam2ImageProcessor, Sam2Processor, Sam2VideoProcessor, Sam2VideoVideoProcessor

from models.segmenting.pictures import IMAGENET, make_pixel_values
from models.segmenting.segment import enlarge, scale_boxes

SIZES = [(224, 224), (720, 1280), (1333, 800), (7, 2000)]
GREY_LEVEL = 1 / 255 / min(IMAGENET.std)


@pytest.fixture(scope="module")
def processor():
    return Sam2Processor(Sam2ImageProcessor())


def picture(size: tuple[int, int]) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)


@pytest.mark.parametrize("size", SIZES)
def test_pictures(processor, size):
    """Pillow and torchvision round at different steps: no pixel differs by more than one grey level."""
    theirs = processor(images=picture(size), return_tensors="pt")["pixel_values"]
    ours = make_pixel_values(picture(size), (1024, 1024), IMAGENET)
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max() <= 1.01 * GREY_LEVEL


@pytest.mark.parametrize("size", SIZES)
def test_boxes(processor, size):
    height, width = size
    boxes = [[0.0, 0.0, width, height], [width / 3, height / 4, width / 2, height / 2]]
    theirs = processor(images=picture(size), input_boxes=[boxes], return_tensors="pt")["input_boxes"]
    torch.testing.assert_close(scale_boxes(boxes, height, width, 1024), theirs)


@pytest.mark.parametrize("size", SIZES)
def test_masks(processor, size):
    logits = torch.randn(1, 2, 1, 256, 256, generator=torch.Generator().manual_seed(0))
    (theirs,) = processor.post_process_masks(logits, [size])
    np.testing.assert_array_equal(enlarge(logits[0, :, 0].numpy(), size) > 0, theirs[:, 0].numpy())


def test_videos():
    """The session of the video model: its frames, and a box as two points."""
    processor = Sam2VideoProcessor(Sam2ImageProcessor(), Sam2VideoVideoProcessor())
    frames = [picture((96, 160)), picture((96, 160))[::-1].copy()]
    session = processor.init_video_session(video=frames)
    box = [10.0, 20.0, 90.0, 60.0]
    processor.add_inputs_to_inference_session(session, frame_idx=1, obj_ids=1, input_boxes=[[box]])
    given = session.point_inputs_per_obj[0][1]
    torch.testing.assert_close(scale_boxes([box], 96, 160, 1024).view(1, 1, 2, 2), given["point_coords"])
    assert given["point_labels"].tolist() == [[[2, 3]]]
    for number, frame in enumerate(frames):
        ours = make_pixel_values(frame, (1024, 1024), IMAGENET)[0]
        assert (ours - session.get_frame(number)).abs().max() <= 1.01 * GREY_LEVEL
