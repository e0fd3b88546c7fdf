"""Other models, with the processor that their folder names. Most of these processors need torchvision."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL import Image
from transformers import PreTrainedModel, ProcessorMixin

from models.others.chat_model import GREEDY, ChatModel, joined
from models.others.parts import Answer, Part, Picture, Prompt, Read, Sound, Turn

NOT_FOR_THE_MODEL = ("num_soft_tokens_per_image", "num_audio_tokens")


class AnyProcessor(ChatModel):
    """Answers one chat at a time. A video is given as its frames."""

    def __init__(self, model: PreTrainedModel, processor: ProcessorMixin):
        self.model, self.processor, self.tokenizer = model, processor, processor.tokenizer
        sees = {Picture: ("image", "")} if getattr(processor, "image_processor", None) is not None else {}
        hears = getattr(processor, "feature_extractor", None) is not None
        self.places = sees | ({Sound: ("audio", "")} if hears else {})

    def prompt(self, turns: Sequence[Turn]) -> Prompt:
        """Raises ValueError for a folder whose processor cannot make inputs of these media."""
        messages = [{"role": t.role, "content": [_element(p) for p in self._taken(t.parts)]} for t in turns]
        try:
            made = self.processor.apply_chat_template(
                messages, tokenize=True, return_dict=True, return_tensors="pt", add_generation_prompt=True
            )
        except Exception as error:  # which error it is depends on the processor
            raise ValueError(f"{self._name()}: expected a processor for these media, got {error}") from error
        ids = made["input_ids"][0].tolist()
        tensors = {k: v for k, v in made.items() if torch.is_tensor(v) and k not in NOT_FOR_THE_MODEL}
        return Prompt(ids, (Read("", tensors),))

    @torch.inference_mode()
    def answer(self, prompts: Sequence[Prompt], max_new_tokens: int) -> list[Answer]:
        stops, answers = self._stops(), []
        options = GREEDY | {"pad_token_id": self._pad_id(), "eos_token_id": stops, "max_new_tokens": max_new_tokens}
        for prompt in prompts:
            written = self.model.generate(**self._placed(joined(prompt.media)), **options)[
                0, len(prompt.ids) :
            ].tolist()
            answers.append(self._answer(prompt, written, stops))
        return answers


def _element(part: Part) -> dict:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if isinstance(part, Sound):
        return {"type": "audio", "audio": part.waveform}
    return {"type": "image", "image": Image.fromarray(part.pixels)}
