"""What local models are given against the real processors for videos, and the path for models of other kinds."""

import json

import cv2
import numpy as np
import pytest
import torch
from transformers import (
    Qwen2VLImageProcessorPil,
    Qwen2VLVideoProcessor,
    VideoLlama3ImageProcessorPil,
    VideoLlama3VideoProcessor,
)

from models.others.load import QWEN3_PICTURES, load_chat_model
from models.others.parts import Frame, Frames, Picture, Turn
from models.others.qwen_omni import video_tensors
from models.others.qwen_vl import frame_size
from models.others.video_llama3 import VideoLlama3
from tests.other_models import save_llava

rng = np.random.default_rng(0)


def smooth_frames() -> list[np.ndarray]:
    """Ten frames of 640 x 360 pixels without sharp edges, where ways of resizing differ most."""
    noise = (rng.integers(0, 255, (72, 128, 3), dtype=np.uint8) for _ in range(10))
    return [cv2.resize(cv2.GaussianBlur(one, (0, 0), 3), (640, 360), interpolation=cv2.INTER_CUBIC) for one in noise]


FRAMES = smooth_frames()
CLIP = Frames(tuple(map(Frame, FRAMES)))


@pytest.mark.parametrize("settings", [{}, QWEN3_PICTURES[2]], ids=["patches of 14", "patches of 16"])
def test_qwen_videos_are_those_of_the_processor_for_videos(settings):
    processor = Qwen2VLImageProcessorPil(**settings)
    real = Qwen2VLVideoProcessor(**settings, size=frame_size(processor))
    expected = real(videos=[np.stack(FRAMES)], return_tensors="pt", do_sample_frames=False)
    count, made = video_tensors(processor, CLIP)
    assert made["video_grid_thw"].tolist() == expected["video_grid_thw"].tolist()
    assert count == int(expected["video_grid_thw"].prod()) // 4
    differences = (made["pixel_values_videos"] - expected["pixel_values_videos"]).abs()
    assert differences.max() < 0.031 and differences.mean() < 1e-5  # one grey level, in a few pixels


def test_video_llama3_videos_are_those_of_the_processor_for_videos():
    still = FRAMES[:5] + FRAMES[4:5] * 5  # what does not change is left out
    expected = VideoLlama3VideoProcessor()(videos=[np.stack(still)], return_tensors="pt")
    model = VideoLlama3.__new__(VideoLlama3)
    model.image_processor = VideoLlama3ImageProcessorPil()
    made = model.read_part(Frames(tuple(map(Frame, still)))).tensors
    for name in ("video_grid_thw", "video_merge_sizes", "video_compression_mask"):
        assert made[name].tolist() == expected[name].tolist()
    differences = (made["pixel_values_videos"] - expected["pixel_values_videos"]).abs()
    assert differences.max() < 0.008 and differences.mean() < 1e-5


def test_models_of_other_kinds_are_fed_by_their_own_processor(tmp_path):
    save_llava(tmp_path)
    model = load_chat_model(tmp_path, torch.device("cpu"), torch.float32)
    assert type(model).__name__ == "AnyProcessor" and model.media == ("video", "frame", "mask")
    turns = [Turn("user", ("Video: ", CLIP, "\nBinary mask: ", Picture(FRAMES[0]), "\nHow good is it?"))]
    prompt = model.prompt(turns)
    assert prompt.ids.count(json.loads((tmp_path / "config.json").read_text())["image_token_index"]) == 11 * 16
    answers = model.answer([prompt, prompt], 5)
    assert answers[0] == answers[1] and answers[0].tokens_out == 5
