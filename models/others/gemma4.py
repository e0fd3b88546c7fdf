"""Gemma 4: it sees, and its small sizes hear. A video is given as its frames.

Shapes: `pixel_values` (pictures, most patches, values), `image_position_ids` (pictures, most patches, 2), -1 where
there is no patch; `input_features` (1, frames of 10 ms, 128).
"""

from __future__ import annotations

from transformers import PreTrainedModel, PreTrainedTokenizerBase
from transformers.models.gemma4.feature_extraction_gemma4 import Gemma4AudioFeatureExtractor
from transformers.models.gemma4.image_processing_pil_gemma4 import Gemma4ImageProcessorPil

from models.others.chat_model import ChatModel
from models.others.parts import Frame, Part, Picture, Read, Sound

SAMPLE_RATE = 16000
FRAME_TOKENS = 70  # most of a frame of a video, as in the model's processor for videos


class Gemma4(ChatModel):
    places = {Picture: ("image", "<|image|>"), Sound: ("audio", "<|audio|>")}
    type_ids = {"<|image|>": 1, "<|audio|>": 3}
    is_causal = False  # the tokens of a picture see each other

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        image_processor: Gemma4ImageProcessorPil,
        feature_extractor: Gemma4AudioFeatureExtractor,
    ):
        if getattr(model.config, "audio_config", None) is None:
            self.places = {Picture: self.places[Picture]}
        super().__init__(model, tokenizer)
        self.image_processor, self.feature_extractor = image_processor, feature_extractor

    def read_part(self, part: Part) -> Read:
        return self._sound(part) if isinstance(part, Sound) else self._picture(part)

    def _picture(self, picture: Picture) -> Read:
        most = {"max_soft_tokens": FRAME_TOKENS} if isinstance(picture, Frame) else {}
        made = self.image_processor(images=[picture.pixels], return_tensors="pt", **most)
        tensors = {name: made[name] for name in ("pixel_values", "image_position_ids")}
        count = int(made["num_soft_tokens_per_image"][0])
        return Read(f"<|image>{'<|image|>' * count}<image|>", tensors)

    def _sound(self, sound: Sound) -> Read:
        made = self.feature_extractor([sound.waveform], sampling_rate=SAMPLE_RATE, return_tensors="pt")
        heard = made["input_features_mask"][0]
        for _ in range(2):  # two convolutions take every second frame
            heard = heard[::2]
        tensors = {name: made[name] for name in ("input_features", "input_features_mask")}
        return Read(f"<|audio>{'<|audio|>' * int(heard.sum())}<audio|>", tensors)
