"""Qwen2-VL, Qwen2.5-VL, Qwen3-VL and Qwen3.5: they see and cannot hear. A video is given as its frames."""

from __future__ import annotations

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase, Qwen2VLImageProcessorPil

from models.others.chat_model import ChatModel
from models.others.parts import Frame, Picture, Read

FRAME_TOKENS = (128, 768)  # fewest and most of one frame, as in the models' processors for videos


def frame_size(processor: Qwen2VLImageProcessorPil) -> dict[str, int]:
    """Fewest and most pixels of a frame of a video."""
    side = processor.patch_size * processor.merge_size
    fewest, most = (count * side**2 for count in FRAME_TOKENS)
    return {"shortest_edge": fewest, "longest_edge": most}


def picture_tensors(processor: Qwen2VLImageProcessorPil, picture: Picture) -> tuple[int, dict[str, torch.Tensor]]:
    """The number of tokens, and `pixel_values` (patches, values), `image_grid_thw` (1, 3)."""
    size = {"size": frame_size(processor)} if isinstance(picture, Frame) else {}
    made = processor(images=[picture.pixels], return_tensors="pt", **size)
    count = int(made["image_grid_thw"].prod()) // processor.merge_size**2
    return count, {"pixel_values": made["pixel_values"], "image_grid_thw": made["image_grid_thw"]}


class QwenVL(ChatModel):
    places = {Picture: ("image", "<|image_pad|>")}
    type_ids = {"<|image_pad|>": 1}

    def __init__(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, image_processor: Qwen2VLImageProcessorPil
    ):
        super().__init__(model, tokenizer)
        self.image_processor = image_processor

    def read_part(self, part: Picture) -> Read:
        count, tensors = picture_tensors(self.image_processor, part)
        return Read("<|image_pad|>" * count, tensors)
