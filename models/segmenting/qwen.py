"""A Qwen2.5-VL model that answers a question about one picture.

The questions and the reading of the answers are in `name` and `rex_omni`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from transformers import (
    PreTrainedModel,
    PreTrainedTokenizerBase,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2VLImageProcessorPil,
)

from models.segmenting.chat_tokenizer import load_chat_tokenizer
from models.segmenting.folders import check_model_folder, load_folder
from models.segmenting.pictures import check_picture
from utils.settings_files import read_object

MODEL_TYPE = "qwen2_5_vl"
PUBLISHED_PIXELS = {"min_pixels": 56 * 56, "max_pixels": 12845056}  # transformers' own maximum is 1003520
IMAGE_TOKEN = "<|image_pad|>"


class QwenVL:
    """Answers a question about one picture by greedy decoding."""

    def __init__(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, image_processor: Qwen2VLImageProcessorPil
    ):
        self.model, self.tokenizer, self.image_processor = model, tokenizer, image_processor

    @torch.inference_mode()
    def __call__(
        self, image: np.ndarray, question: str, max_new_tokens: int = 512, keep_special_tokens: bool = False
    ) -> str:
        """RGB uint8 (H, W, 3) and a question -> the model's answer, without the end token."""
        check_picture(image)
        picture = self.image_processor(images=[image], return_tensors="pt")
        num_tokens = int(picture["image_grid_thw"].prod()) // self.image_processor.merge_size**2
        text = self.tokenizer(self.prompt(question, num_tokens), return_tensors="pt", add_special_tokens=False)
        is_picture = text["input_ids"] == self.tokenizer.convert_tokens_to_ids(IMAGE_TOKEN)
        inputs = {
            "input_ids": text["input_ids"],
            "attention_mask": text["attention_mask"],
            "mm_token_type_ids": is_picture.int(),
            "pixel_values": picture["pixel_values"].to(self.model.dtype),
            "image_grid_thw": picture["image_grid_thw"],
        }
        inputs = {name: tensor.to(self.model.device) for name, tensor in inputs.items()}
        greedy = {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
        ids = self.model.generate(**inputs, max_new_tokens=max_new_tokens, **greedy)[0, text["input_ids"].shape[1] :]
        answer = self.tokenizer.decode(ids, skip_special_tokens=not keep_special_tokens)
        return answer.removesuffix(self.tokenizer.eos_token or "").strip()

    def prompt(self, question: str, num_image_tokens: int) -> str:
        """The question in the model's chat template; the picture's placeholder is repeated `num_image_tokens` times."""
        content = [{"type": "image"}, {"type": "text", "text": question.replace(IMAGE_TOKEN, "")}]
        chat = self.tokenizer.apply_chat_template(
            [{"role": "user", "content": content}], tokenize=False, add_generation_prompt=True
        )
        return chat.replace(IMAGE_TOKEN, IMAGE_TOKEN * num_image_tokens)


def load_qwen(folder: str | Path, device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32) -> QwenVL:
    """The model in a transformers folder, in `dtype`; a quantised model keeps the dtype of its config.json.

    Raises FileNotFoundError or ValueError, naming the folder, when it holds no such model, no chat template
    or the tokenizer of another model.
    """
    check_model_folder(folder, (MODEL_TYPE,))
    tokenizer = load_chat_tokenizer(folder)
    if not tokenizer.chat_template or IMAGE_TOKEN not in tokenizer.get_vocab():
        raise ValueError(f"{folder}: expected a tokenizer with a chat template and {IMAGE_TOKEN}, got one without")
    is_quantised = "quantization_config" in read_object(Path(folder) / "config.json")
    model = load_folder(Qwen2_5_VLForConditionalGeneration, folder, device, "auto" if is_quantised else dtype)
    if (image_id := tokenizer.convert_tokens_to_ids(IMAGE_TOKEN)) != model.config.image_token_id:
        expected = f"{IMAGE_TOKEN} at the config's id {model.config.image_token_id}"
        raise ValueError(f"{folder}: expected {expected}, got the tokenizer's {image_id}")
    qwen = QwenVL(model, tokenizer, _load_image_processor(folder))
    if IMAGE_TOKEN not in qwen.prompt("?", 1):
        raise ValueError(f"{folder}: expected a chat template with a place for a picture, got one without")
    return qwen


def _load_image_processor(folder: str | Path) -> Qwen2VLImageProcessorPil:
    """Settings are read from preprocessor_config.json; without this file the published ones are used."""
    if not (Path(folder) / "preprocessor_config.json").is_file():
        return Qwen2VLImageProcessorPil(**PUBLISHED_PIXELS)
    try:
        return Qwen2VLImageProcessorPil.from_pretrained(folder, local_files_only=True)
    except (OSError, TypeError, ValueError, KeyError, AttributeError) as error:
        raise ValueError(f"{folder}: expected the settings of Qwen2.5-VL's image processor, got {error}") from error
