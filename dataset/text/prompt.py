"""Prompts and target answers as token ids. Their words are in `wording`.

After tokenising, each placeholder is repeated to as many positions as its features take. So lengths, padding and labels
are known before the model gets a batch.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import torch
from tokenizers.pre_tokenizers import Metaspace

from dataset.text.forks import forks
from dataset.text.think_wording import build_think_prompt
from dataset.text.wording import CAPTIONS, SYSTEM, build_prompt
from utils.audit import all_wordings, parse_objects, with_tenths
from utils.tokens import DIRECT_NTP, IGNORE_INDEX, IOU_VALUE, PLACEHOLDERS, SPECIAL_TOKENS, THINK_TOKENS

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

MOST_REMEMBERED = 50_000  # texts
SPACES = " \t\n\r\u2581"  # the last one is SentencePiece's own mark for a space
_TAG = re.compile(r"[<\[{\uff5c|].*[>\]}\uff5c|]", re.DOTALL)


def encode_text(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """Token ids exactly as the slow LLaMA tokenizer gives them, without added BOS.

    The slow tokenizer puts a space before a text. The fast one does not, if the text begins with a space; then one more
    space is added here.
    """
    text = text.replace("\u2581", " ")  # SentencePiece's own mark for a space
    backend = getattr(tokenizer, "backend_tokenizer", None)
    splits_at_spaces = isinstance(getattr(backend, "pre_tokenizer", None), Metaspace)
    if text.startswith(" ") and splits_at_spaces and backend.pre_tokenizer.prepend_scheme != "never":
        text = " " + text
    return tokenizer(text, add_special_tokens=False).input_ids


@dataclass
class PromptEncoder:
    """Text -> ids, with each placeholder repeated once for each feature row that replaces it.

    `tokens_per_item` is the number of query tokens that one image or one audio second becomes, `positions` the longest
    text that the LLM can read, `decision_weight` the weight in the loss of words that decide an audit. Text from data
    never becomes a control token: `encode` and `encode_caption` raise ValueError for one that would, and for a text
    that is too long.
    """

    tokenizer: PreTrainedTokenizerBase
    tokens_per_item: int
    iou_estimation: str = DIRECT_NTP
    positions: int | None = None
    decision_weight: float = 1.0
    _right: set[str] = field(default_factory=set, repr=False)  # texts that were checked before

    def encode(self, expression: str, protocol: str, num_items: dict[str, int], target: str | None = None) -> dict:
        """One sample as `input_ids` and `labels`, each (L,) int64, and `weights` (L,) of labels in the loss.

        Without a target there are prompt ids only.

        `num_items`: how many images or seconds stand behind each placeholder, e.g. {"<video>": 10, "<mask>": 2}.
        """
        self.check(expression, "expression")
        if target is not None:
            self.check(target, "response", allowed={*SPECIAL_TOKENS, IOU_VALUE} - {*PLACEHOLDERS})
        prompt = build_prompt(expression, protocol, self.tokenizer.bos_token or "")
        return self._weighted(self._encode(prompt, num_items, target), target)

    def encode_thought(
        self, expression: str, is_train: bool, num_items: dict[str, int], target: str | None = None
    ) -> dict:
        """One expression to think about, as `encode`."""
        self.check(expression, "expression")
        if target is not None:
            self.check(target, "answer", allowed={*THINK_TOKENS} - {*PLACEHOLDERS})
        prompt = build_think_prompt(expression, is_train, self.tokenizer.bos_token or "")
        return self._weighted(self._encode(prompt, num_items, target), None)

    def encode_caption(self, medium: str, num_items: int, question: str, answer: str) -> dict:
        """One caption of pretraining as `input_ids` and `labels`; `medium`: image, video or audio.

        The instruction is put into the LLM's chat template. Raises ValueError if the tokenizer has none.
        """
        if not getattr(self.tokenizer, "chat_template", None):
            raise ValueError(f"{self.tokenizer.name_or_path}: expected a chat template for pretraining, got none")
        self.check(question, "question")
        self.check(answer, "answer")
        talk = [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": CAPTIONS[medium].format(question=question)},
        ]
        prompt = self.tokenizer.apply_chat_template(talk, tokenize=False, add_generation_prompt=True)
        target = f"{answer}{'' if answer.endswith(('.', '!', '?')) else '.'} {self.tokenizer.eos_token}"
        return self._encode(prompt, {f"<{medium}>": num_items}, target)

    @cached_property
    def control_tokens(self) -> dict[str, int]:
        """The tokens that the tokenizer adds to words, with their ids: special ones, and others that look like tags.

        Some tokenizers add letters or runs of spaces as well, which are plain text.
        """
        return {
            token.content: id_
            for id_, token in self.tokenizer.added_tokens_decoder.items()
            if token.content.strip(SPACES) and (token.special or _TAG.fullmatch(token.content.strip()))
        }

    def check(self, text: str, what: str, allowed: Collection[str] = ()) -> None:
        """Raises ValueError for a text from data in which the tokenizer finds a control token that is not `allowed`.

        A text may end with the end of an answer. Some tokenizers find tokens in other spellings: they are asked.
        """
        if text in self._right:
            return
        body = text.rstrip().removesuffix(self.tokenizer.eos_token or "") if allowed else text
        known = {token: id_ for token, id_ in self.control_tokens.items() if token not in allowed}
        found = [token for token in known if token in body or token in body.lower()]
        ids = set(encode_text(self.tokenizer, body)) | set(encode_text(self.tokenizer, body.lower()))
        found += [
            token for token, id_ in known.items() if id_ in ids and token not in found + [self.tokenizer.unk_token]
        ]
        if found:
            raise ValueError(f"{what}: expected plain words, got {', '.join(found)}, which the LLM reads as a command")
        if len(self._right) == MOST_REMEMBERED:
            self._right.clear()
        self._right.add(text)

    def _encode(self, prompt: str, num_items: dict[str, int], target: str | None) -> dict:
        ids = self._widen(encode_text(self.tokenizer, prompt), num_items)
        answer = encode_text(self.tokenizer, target) if target is not None else []
        if self.positions is not None and len(ids) + len(answer) > self.positions:
            got = f"{len(ids) + len(answer)} (media take {sum(num_items.values()) * self.tokens_per_item})"
            raise ValueError(f"prompt: expected at most the {self.positions} tokens that the LLM can read, got {got}")
        return {
            "input_ids": torch.tensor(ids + answer),
            "labels": torch.tensor([IGNORE_INDEX] * len(ids) + answer),
        }

    def _weighted(self, text: dict, audit: str | None) -> dict:
        """With `weights`: 1, but `decision_weight` for tokens that decide an audit: its wording and its IoU's tenth."""
        weights = torch.ones(len(text["input_ids"]))
        if audit is not None and self.decision_weight != 1:
            named = parse_objects(audit)
            wordings = all_wordings(named.target or "object", named.negative or "object")
            others = [wording.partition("<iou>")[0] for wording in wordings]
            if IOU_VALUE not in audit:
                others += with_tenths(audit)
            answer = text["input_ids"][text["labels"] != IGNORE_INDEX].tolist()
            decide = forks(answer, [encode_text(self.tokenizer, other) for other in others])
            weights[[len(weights) - len(answer) + place for place in decide]] = self.decision_weight
        return {**text, "weights": weights}

    def _widen(self, ids: list[int], num_items: dict[str, int]) -> list[int]:
        rows = {
            self.tokenizer.convert_tokens_to_ids(token): count * self.tokens_per_item
            for token, count in num_items.items()
        }
        return [token for id_ in ids for token in [id_] * rows.get(id_, 1)]
