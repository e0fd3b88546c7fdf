"""A whole question to a local model against the real processor of its kind: the same tokens, the same tensors."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from transformers import (
    Gemma4Processor,
    PreTrainedTokenizerFast,
    Qwen2_5OmniProcessor,
    Qwen2VLVideoProcessor,
    Qwen3OmniMoeProcessor,
    VideoLlama3Processor,
    VideoLlama3VideoProcessor,
)
from transformers.models.gemma4.video_processing_gemma4 import Gemma4VideoProcessor
from transformers.video_utils import VideoMetadata

from models.others.chat_model import joined
from models.others.load import load_chat_model
from models.others.parts import Frame, Frames, Picture, Sound, Turn
from models.others.qwen_vl import frame_size
from tests.other_models import FOLDERS

rng = np.random.default_rng(0)
NOISE = [rng.integers(0, 255, (72, 128, 3), dtype=np.uint8) for _ in range(10)]
FRAMES = [cv2.resize(cv2.GaussianBlur(one, (0, 0), 3), (640, 360), interpolation=cv2.INTER_CUBIC) for one in NOISE]
TONE = (0.1 * np.sin(np.arange(150_400) * 440 * 2 * np.pi / 16_000)).astype(np.float32)  # 9.4 seconds
TOKENS = {
    "Qwen25Omni": {"image": "<|IMAGE|>", "audio": "<|AUDIO|>", "video": "<|VIDEO|>"}
    | {"vision_bos": "<|vision_bos|>", "vision_eos": "<|vision_eos|>"}
    | {"audio_bos": "<|audio_bos|>", "audio_eos": "<|audio_eos|>"},
    "Qwen3Omni": {"image": "<|image_pad|>", "audio": "<|audio_pad|>", "video": "<|video_pad|>"}
    | {"vision_bos": "<|vision_start|>", "vision_eos": "<|vision_end|>"}
    | {"audio_bos": "<|audio_start|>", "audio_eos": "<|audio_end|>"},
    "VideoLlama3": {"image": "<|image_pad|>", "video": "<|video_pad|>"},
    "Gemma4": {"image": "<|image|>", "boi": "<|image>", "eoi": "<image|>"}
    | {"audio": "<|audio|>", "boa": "<|audio>", "eoa": "<audio|>"},
}


def real_processor(kind: str, folder: Path, model):
    named = {f"{name}_token": token for name, token in TOKENS[kind].items()}
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder, extra_special_tokens=named)
    template = (folder / "chat_template.jinja").read_text()
    pictures = model.image_processor
    if kind == "VideoLlama3":
        return VideoLlama3Processor(pictures, tokenizer, VideoLlama3VideoProcessor(), chat_template=template)
    if kind == "Gemma4":
        return Gemma4Processor(
            model.feature_extractor, pictures, tokenizer, Gemma4VideoProcessor(), chat_template=template
        )
    sizes = {name: getattr(pictures, name) for name in ("patch_size", "image_mean", "image_std")}
    videos = Qwen2VLVideoProcessor(**sizes, size=frame_size(pictures))
    made = Qwen2_5OmniProcessor if kind == "Qwen25Omni" else Qwen3OmniMoeProcessor
    return made(pictures, videos, model.feature_extractor, tokenizer, chat_template=template)


def expected_inputs(kind: str, processor, model) -> dict:
    """What the real processor makes of a clip, its sound and a picture."""
    content, media = [{"type": "text", "text": "Sound: "}], {}
    if "sound" in model.media:
        content.append({"type": "audio"})
        media["audio"] = [TONE]
    if kind != "Gemma4":
        content.append({"type": "video"})
        media["videos"] = [np.stack(FRAMES)]
        media["videos_kwargs"] = {"fps": 1, "do_sample_frames": False}
        if kind == "VideoLlama3":
            seconds = VideoMetadata(total_num_frames=10, fps=1, frames_indices=list(range(10)))
            media["videos_kwargs"] = {"video_metadata": [seconds], "do_sample_frames": False}
    content += [{"type": "image"}, {"type": "text", "text": "\nHow good is it?"}]
    chat = [{"role": "user", "content": content}]
    text = processor.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    return processor(text=[text], images=[[Image.fromarray(FRAMES[3])]], return_tensors="pt", **media)


@pytest.mark.parametrize("kind", TOKENS)
def test_questions_are_those_of_the_real_processor(kind, tmp_path):
    folder = FOLDERS[kind](tmp_path)
    model = load_chat_model(folder, torch.device("cpu"), torch.float32)
    expected = expected_inputs(kind, real_processor(kind, folder, model), model)
    sound = [Sound(TONE)] if "sound" in model.media else []
    clip = [Frames(tuple(map(Frame, FRAMES)))] if kind != "Gemma4" else []
    made = model.prompt([Turn("user", ("Sound: ", *sound, *clip, Picture(FRAMES[3]), "\nHow good is it?"))])
    assert made.ids == expected["input_ids"][0].tolist()
    tensors = joined(made.media)
    names = tensors.keys()
    assert names <= expected.keys(), json.dumps([*names, *expected.keys()])
    for name in names:
        ours, theirs = tensors[name].double(), torch.as_tensor(expected[name]).double()
        assert ours.shape == theirs.shape, name
        difference = (ours - theirs).abs()
        assert difference.max() < (0.031 if name == "pixel_values_videos" else 1e-5), name
