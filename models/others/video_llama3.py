"""Video-LLaMA3: it sees and cannot hear. Parts of a frame that hardly differ from the frame before are left out."""

from __future__ import annotations

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase, VideoLlama3ImageProcessorPil

from models.others.chat_model import ChatModel
from models.others.parts import Frames, Part, Picture, Read

PIXELS = (128 * 28 * 28, 768 * 28 * 28)  # fewest of a frame, most of all frames together
MERGED = 2  # patches of a frame that become one token, along each side
LEAST_CHANGE = 0.1  # grey levels of 255, on average


def changed_tokens(pixels: torch.Tensor, frames: int) -> torch.Tensor:
    """(patches of all frames, values) -> (frames, tokens of one) bool: whether a token differs enough from the frame
    before. Each frame keeps one at least.
    """
    tokens = pixels.view(frames, len(pixels) // frames // MERGED**2, -1)
    change = (tokens[1:] - tokens[:-1]).abs().mean(-1) * 255
    kept = torch.cat([torch.ones(1, tokens.shape[1], dtype=torch.bool), change > LEAST_CHANGE])
    kept[~kept.any(1), 0] = True
    return kept


class VideoLlama3(ChatModel):
    places = {Picture: ("image", "<|image_pad|>"), Frames: ("video", "<|video_pad|>")}

    def __init__(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, image_processor: VideoLlama3ImageProcessorPil
    ):
        super().__init__(model, tokenizer)
        self.image_processor = image_processor

    def read_part(self, part: Part) -> Read:
        return self._video(part) if isinstance(part, Frames) else self._picture(part)

    def _picture(self, picture: Picture) -> Read:
        made = self.image_processor(images=[picture.pixels], return_tensors="pt")
        tensors = {name: made[name] for name in ("pixel_values", "image_grid_thw", "image_merge_sizes")}
        count = int(made["image_grid_thw"].prod()) // int(made["image_merge_sizes"][0]) ** 2
        return Read("<|image_pad|>" * count, tensors)

    def _video(self, video: Frames) -> Read:
        frames = len(video.frames)
        size = {"shortest_edge": PIXELS[0], "longest_edge": PIXELS[1] // frames}
        made = self.image_processor(
            images=[frame.pixels for frame in video.frames], merge_size=MERGED, size=size, return_tensors="pt"
        )
        _, rows, columns = made["image_grid_thw"][0].tolist()
        kept = changed_tokens(made["pixel_values"], frames)
        texts = [f"Time {s:.1f}s:" + "<|video_pad|>" * int(own.sum()) for s, own in enumerate(kept)]
        tensors = {
            "pixel_values_videos": made["pixel_values"],
            "video_grid_thw": torch.tensor([[frames, rows, columns]]),
            "video_merge_sizes": torch.tensor([MERGED]),
            "video_compression_mask": kept.flatten(),
        }
        return Read(",".join(texts), tensors)
