"""A chat as tokens and tensors, a batch of chats, and the answers: what all kinds of models share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from models.others.parts import Answer, Frames, Part, Picture, Prompt, Read, Sound, Turn
from models.others.shared_beginning import can_share, groups_of, read_together, shared_beginning

GREEDY = {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
REMEMBERED = 48  # media: the clips of a few masks
PADDING = {"image_position_ids": -1}  # of a tensor that is shorter than others; 0 for all that are not named


class ChatModel:
    """Answers chats by greedy decoding.

    `places`: kind of part -> its type in the folder's chat template, and the token that the template puts for it.
    `type_ids`: token -> its number in `mm_token_type_ids`, for models that take these. `is_causal`: no token sees those
    behind it.
    """

    places: dict[type, tuple[str, str]] = {}
    type_ids: dict[str, int] = {}
    is_causal = True

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase):
        self.model, self.tokenizer = model, tokenizer
        self.read = lru_cache(REMEMBERED)(self.read_part)
        special = sorted(map(str, tokenizer.added_tokens_decoder.values()), key=len, reverse=True)
        self._special = re.compile("|".join(map(re.escape, special)) or "(?!)")
        self.shares = self.is_causal and can_share(model)
        self._check_tokens()

    @property
    def media(self) -> tuple[str, ...]:
        """What the model takes, of sound, video, frame and mask."""
        sees = ("video", "frame", "mask") if Picture in self.places else ()
        return ("sound", *sees) if Sound in self.places else sees

    def read_part(self, part: Part) -> Read:
        """One medium as the model takes it."""
        raise NotImplementedError

    def prompt(self, turns: Sequence[Turn]) -> Prompt:
        """A chat in the form of the folder's template. Raises ValueError for a template without places for media.

        Special tokens in the texts are left out.
        """
        media: list[tuple[str, Read]] = []
        messages = []
        for turn in turns:
            parts = self._taken(turn.parts)
            if strange := [part for part in parts if not isinstance(part, str) and _kind(part) not in self.places]:
                raise ValueError(f"{self._name()}: expected media that it takes, got a {type(strange[0]).__name__}")
            media += [(self.places[_kind(part)][1], self.read(part)) for part in parts if not isinstance(part, str)]
            messages.append({"role": turn.role, "content": self._content(parts)})
        text = self._expanded(self._written(messages), media)
        ids = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        reads = tuple(read for _, read in media)
        return Prompt(ids, reads, self._starts(ids, media))

    @torch.inference_mode()
    def answer(self, prompts: Sequence[Prompt], max_new_tokens: int) -> list[Answer]:
        """The answers to a batch of chats, in order. What chats have in common at their beginning is read once."""
        answers = {}
        for places in groups_of(prompts) if self.shares else [range(len(prompts))]:
            group = [prompts[place] for place in places]
            answers |= zip(places, self._answer_group(group, max_new_tokens), strict=True)
        return [answers[place] for place in range(len(prompts))]

    def _answer_group(self, prompts: Sequence[Prompt], max_new_tokens: int) -> list[Answer]:
        longest, pad = max(len(prompt.ids) for prompt in prompts), self._pad_id()
        ids = torch.tensor([[pad] * (longest - len(prompt.ids)) + prompt.ids for prompt in prompts])
        mask = torch.tensor([[0] * (longest - len(p.ids)) + [1] * len(p.ids) for p in prompts])
        inputs = {"input_ids": ids, "attention_mask": mask} | self._types_of(ids)
        inputs = self._placed(inputs | joined([read for prompt in prompts for read in prompt.media]))
        count, media = shared_beginning(prompts) if self.shares and len(prompts) > 1 else (0, 0)
        if media:
            common = self._placed(joined(prompts[0].media[:media]))
            own = self._placed(joined([read for prompt in prompts for read in prompt.media[media:]]))
            inputs = read_together(self.model, inputs, count, common, own)
        stops = self._stops()
        options = GREEDY | {"pad_token_id": pad, "eos_token_id": stops, "max_new_tokens": max_new_tokens}
        written = self.model.generate(**inputs, **options)[:, longest:].tolist()
        return [self._answer(prompt, new, stops) for prompt, new in zip(prompts, written, strict=True)]

    def _taken(self, parts: Sequence[Part]) -> list[Part]:
        """The parts, a video as its frames where the model takes no videos."""
        if Frames in self.places:
            return list(parts)
        return [one for part in parts for one in (part.frames if isinstance(part, Frames) else (part,))]

    def _content(self, parts: Sequence[Part]) -> list[dict] | str:
        texts = [self._special.sub("", part) for part in parts if isinstance(part, str)]
        if len(texts) == len(parts):
            return "".join(texts)
        left = iter(texts)
        return [
            {"type": "text", "text": next(left)} if isinstance(part, str) else {"type": self.places[_kind(part)][0]}
            for part in parts
        ]

    def _written(self, messages: list[dict]) -> str:
        if not self.tokenizer.chat_template:
            if any(not isinstance(message["content"], str) for message in messages):
                raise ValueError(f"{self._name()}: expected a tokenizer with a chat template, got one without")
            return "\n".join(message["content"] for message in messages) + "\n"
        return self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)

    def _expanded(self, text: str, media: Sequence[tuple[str, Read]]) -> str:
        tokens = re.compile("|".join(re.escape(token) for _, token in self.places.values()) or "(?!)")
        found, wanted = tokens.findall(text), [token for token, _ in media]
        if found != wanted:
            raise ValueError(
                f"{self._name()}: expected a chat template with a place for each of {len(wanted)} media, got "
                f"{len(found)} places"
            )
        reads = iter(media)
        return tokens.sub(lambda _: next(reads)[1].text, text)

    def _types_of(self, ids: Tensor) -> dict[str, Tensor]:
        if not self.type_ids:
            return {}
        types = torch.zeros_like(ids)
        for token, number in self.type_ids.items():
            types[ids == self.tokenizer.convert_tokens_to_ids(token)] = number
        return {"mm_token_type_ids": types}

    def _starts(self, ids: list[int], media: Sequence[tuple[str, Read]]) -> tuple[int, ...]:
        """Where each medium has its first token."""
        tokens = set(self.tokenizer.convert_tokens_to_ids([token for _, token in self.places.values()]))
        places = [place for place, one in enumerate(ids) if one in tokens]
        counts = [read.text.count(token) for token, read in media]
        return tuple(places[sum(counts[:i])] for i in range(len(media)))

    def _placed(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """On the model's device; values of media in the model's dtype."""
        return {name: tensor.to(self.model.device, self._dtype(name, tensor)) for name, tensor in tensors.items()}

    def _dtype(self, name: str, tensor: Tensor) -> torch.dtype | None:
        is_media = name.startswith(("pixel_values", "input_features")) and tensor.is_floating_point()
        return self.model.dtype if is_media else None

    def _answer(self, prompt: Prompt, new: list[int], stops: list[int]) -> Answer:
        end = next((place for place, token in enumerate(new) if token in stops), None)
        text = self.tokenizer.decode(new[:end], skip_special_tokens=True).strip()
        return Answer(text, len(prompt.ids), len(new) if end is None else end + 1, end is None)

    def _stops(self) -> list[int]:
        said = getattr(self.model.generation_config, "eos_token_id", None)
        known = said if isinstance(said, list) else [said]
        return [one for one in dict.fromkeys([*known, self.tokenizer.eos_token_id]) if one is not None]

    def _pad_id(self) -> int:
        pad = self.tokenizer.pad_token_id
        return self._stops()[0] if pad is None else pad

    def _check_tokens(self) -> None:
        vocabulary = self.tokenizer.get_vocab()
        if missing := [token for _, token in self.places.values() if token not in vocabulary]:
            raise ValueError(f"{self._name()}: expected a tokenizer with {' and '.join(missing)}, got one without")

    def _name(self) -> str:
        return str(self.tokenizer.name_or_path or type(self.model).__name__)


def _kind(part: Part) -> type:
    return Picture if isinstance(part, Picture) else type(part)


def joined(media: Sequence[Read]) -> dict[str, Tensor]:
    """Tensors of the same name, one behind the other; shorter ones are padded at the end."""
    names = dict.fromkeys(name for read in media for name in read.tensors)
    return {name: _stacked(name, [read.tensors[name] for read in media if name in read.tensors]) for name in names}


def _stacked(name: str, tensors: list[Tensor]) -> Tensor:
    shape = [max(sizes) for sizes in zip(*(tensor.shape[1:] for tensor in tensors), strict=True)]
    if all(list(tensor.shape[1:]) == shape for tensor in tensors):
        return torch.cat(tensors)
    padded = [tensor.new_full((len(tensor), *shape), PADDING.get(name, 0)) for tensor in tensors]
    for target, tensor in zip(padded, tensors, strict=True):
        target[tuple(map(slice, tensor.shape))] = tensor
    return torch.cat(padded)
