"""The thinkers of Qwen2.5-Omni and Qwen3-Omni: they see, hear and write. The parts that speak are not loaded.

Shapes for a clip of ten frames and ten seconds: `pixel_values_videos` (5 * h * w, values of two frames' patches),
`video_grid_thw` [[5, h, w]], `input_features` (1, 128, frames of 10 ms).
"""

from __future__ import annotations

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase, Qwen2VLImageProcessorPil, WhisperFeatureExtractor

from models.others.chat_model import ChatModel
from models.others.parts import Frames, Part, Picture, Read, Sound
from models.others.qwen_vl import frame_size, picture_tensors

SAMPLE_RATE = 16000
SECONDS_OF_A_FRAME = 1.0


def video_tensors(processor: Qwen2VLImageProcessorPil, video: Frames) -> tuple[int, dict[str, torch.Tensor]]:
    """The number of tokens, and the tensors of a video: what the models' own processors for videos make, but for
    rounding.

    Each frame is cut into patches by itself; then the patches of two frames that follow each other are joined in time.
    An odd last frame is doubled.
    """
    pixels = [frame.pixels for frame in video.frames]
    pixels += pixels[-1:] * (len(pixels) % 2)
    made = processor(images=pixels, temporal_patch_size=1, size=frame_size(processor), return_tensors="np")
    _, rows, columns = made["image_grid_thw"][0]
    patches = made["pixel_values"].reshape(len(pixels), rows * columns, 3, 1, processor.patch_size, -1)
    pairs = np.concatenate([patches[0::2], patches[1::2]], axis=3)
    grid = torch.tensor([[len(pixels) // 2, int(rows), int(columns)]])
    tensors = {
        "pixel_values_videos": torch.from_numpy(pairs.reshape(int(grid.prod()), -1)),
        "video_grid_thw": grid,
        "video_second_per_grid": torch.tensor([2 * SECONDS_OF_A_FRAME]),
    }
    return int(grid.prod()) // processor.merge_size**2, tensors


class QwenOmni(ChatModel):
    """What both share. A subclass says its tokens, and how many tokens a sound takes."""

    pads_sound_to: str = "longest"

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        image_processor: Qwen2VLImageProcessorPil,
        feature_extractor: WhisperFeatureExtractor,
    ):
        super().__init__(model, tokenizer)
        self.image_processor, self.feature_extractor = image_processor, feature_extractor

    def read_part(self, part: Part) -> Read:
        if isinstance(part, Sound):
            return self._sound(part)
        kind = Frames if isinstance(part, Frames) else Picture
        count, tensors = (video_tensors if kind is Frames else picture_tensors)(self.image_processor, part)
        return Read(self.places[kind][1] * count, tensors)

    def _sound(self, sound: Sound) -> Read:
        made = self.feature_extractor(
            [sound.waveform],
            sampling_rate=SAMPLE_RATE,
            padding=self.pads_sound_to,
            truncation=self.pads_sound_to == "max_length",
            return_attention_mask=True,
            return_tensors="pt",
        )
        tensors = {"input_features": made["input_features"], "feature_attention_mask": made["attention_mask"]}
        return Read(self.places[Sound][1] * self.sound_tokens(int(made["attention_mask"].sum())), tensors)

    def sound_tokens(self, frames: int) -> int:
        """Tokens of so many frames of 10 ms."""
        raise NotImplementedError


class Qwen25Omni(QwenOmni):
    places = {Picture: ("image", "<|IMAGE|>"), Frames: ("video", "<|VIDEO|>"), Sound: ("audio", "<|AUDIO|>")}
    pads_sound_to = "max_length"

    def sound_tokens(self, frames: int) -> int:
        return ((frames - 1) // 2 + 1 - 2) // 2 + 1


class Qwen3Omni(QwenOmni):
    places = {
        Picture: ("image", "<|image_pad|>"),
        Frames: ("video", "<|video_pad|>"),
        Sound: ("audio", "<|audio_pad|>"),
    }

    def sound_tokens(self, frames: int) -> int:
        """13 for each whole window, and what three halvings leave of the rest."""
        window = 2 * self.model.config.audio_config.n_window
        rest = frames % window
        for _ in range(3):
            rest = (rest - 1) // 2 + 1
        return rest + frames // window * 13
