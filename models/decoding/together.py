"""Greedy answers for many masks at once: what prompts have in common is read once (see `dataset.batches.grouping`).

All masks of a row write into the same cache; each key has an owner, and a token sees what is everybody's and its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from models.decoding.drafts import Drafts
from models.language.attention import visible
from models.language.audio_visual import AudioVisualLM
from utils.tokens import EVERYBODY, NOBODY

Steer = Callable[[Tensor, list[tuple[int, int]]], Tensor]
GROWTH = 512  # positions by which a cache grows


class RoomyLayer(DynamicLayer):
    """Keys and values (B, heads, K, d) in blocks with room to grow, so that a step copies only what is new."""

    def update(self, key_states: Tensor, value_states: Tensor, *args, **kwargs) -> tuple[Tensor, Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self.blocks = [new[:, :, :0] for new in (key_states, value_states)]
            self.keys, self.values = self.blocks
        start, end = self.keys.shape[2], self.keys.shape[2] + key_states.shape[2]
        for i, new in enumerate((key_states, value_states)):
            if end > self.blocks[i].shape[2]:
                room = new.new_empty(*new.shape[:2], end + GROWTH, new.shape[3])
                room[:, :, :start] = self.blocks[i][:, :, :start]
                self.blocks[i] = room
            self.blocks[i][:, :, start:end] = new
        self.keys, self.values = (block[:, :, :end] for block in self.blocks)
        return self.keys, self.values

    def batch_select_indices(self, indices: Tensor) -> None:
        """Go on with these rows, some of them several times."""
        self.blocks = [self.keys[indices], self.values[indices]]
        self.keys, self.values = self.blocks


@dataclass
class Answer:
    """What one mask has been answered so far. `owner`: its number in the batch, from 1."""

    row: int
    owner: int
    position: int  # of the first token that the LLM has not read yet
    ids: list[int] = field(default_factory=list)
    draft: list[int] = field(default_factory=list)  # guesses of what follows, read together with the last token
    done: bool = False
    iou: float | None = None  # Regress ST: read at the first `<iou_value>`


@torch.inference_mode()
def answer_together(
    model: AudioVisualLM,
    batch: dict,
    max_new_tokens: int = 256,
    drafts: Drafts | None = None,
    steer: Steer | None = None,
) -> tuple[list[list[int]], list[float | None]]:
    """A batch of a `GroupingCollator` -> per item the new token ids, ended by eos unless cut off, and the IoU read.

    In float32 the tokens are those of each item alone, with and without drafts: a guess counts where it is what the
    auditor says. `drafts` learns the answers. `steer` changes logits (n, V) of the next tokens, given for each of them
    (owner, number of tokens before it in the answer): auditors with random weights are measured with it.
    """
    reader, stops = _Reader(model, batch, steer), set(model.stop_ids())
    answers = reader.answers
    said = reader.start()
    while True:
        for answer, tokens in said:
            for token, guess in zip(tokens, [*answer.draft, None], strict=True):
                answer.ids.append(token)
                answer.done = token in stops or len(answer.ids) == max_new_tokens
                if answer.done or token != guess:
                    break
        still_open = [answer for answer in answers if not answer.done]
        if not still_open:
            break
        for answer in still_open if drafts else ():
            answer.draft = drafts.guess(answer.ids, len(still_open))[: max_new_tokens - len(answer.ids) - 1]
        said = reader.read_on(still_open)
    if drafts:
        for answer in answers:
            drafts.learn(answer.ids)
    return [answer.ids for answer in answers], [answer.iou for answer in answers]


class _Reader:
    """The LLM with its cache for a batch."""

    def __init__(self, model: AudioVisualLM, batch: dict, steer: Steer | None):
        self.model, self.llm, self.device = model, model.language_model, model.device
        self.batch, self.steer, self.regressed = batch, steer, model.regressed_token()
        self.cache = DynamicCache()
        self.cache.layers = [RoomyLayer() for _ in range(self.llm.config.num_hidden_layers)]
        none = torch.empty(len(batch["roots"]["owner"]), 0, dtype=torch.long, device=self.device)
        self.owner, self.position = none, none
        self.ends = {}  # row and column of the last position of each mask
        rows = batch["rows"]
        for row, owners in enumerate(rows["owner"].tolist()):
            self.ends.update({owner: (row, at) for at, owner in enumerate(owners) if owner > EVERYBODY})
        self.answers = [
            Answer(row, owner, int(rows["position_ids"][row, at]) + 1) for owner, (row, at) in sorted(self.ends.items())
        ]

    def start(self) -> list[tuple[Answer, list[int]]]:
        """Read the prompts: the first token of every answer."""
        media = self.model.read_media(self.batch)
        roots, rows, root_index = self.batch["roots"], self.batch["rows"], self.batch["root_index"]
        self._read(self.model.embed(roots, media), roots["owner"], roots["position_ids"], 1)
        for layer in self.cache.layers:
            layer.batch_select_indices(root_index)
        self.owner, self.position = self.owner[root_index], self.position[root_index]

        columns = sorted({at for _, at in self.ends.values()})
        kept = torch.tensor(columns, device=self.device)
        embeds = self.model.embed(rows, (media[0], None))
        logits = self._read(embeds, rows["owner"], rows["position_ids"], kept).logits
        places = [(row, columns.index(at)) for row, at in (self.ends[answer.owner] for answer in self.answers)]
        tokens = self._likeliest(logits, places, [(answer.owner, 0) for answer in self.answers])
        return [(answer, [token]) for answer, token in zip(self.answers, tokens, strict=True)]

    def read_on(self, answers: list[Answer]) -> list[tuple[Answer, list[int]]]:
        """Read the last token of each answer and its draft: what the LLM says after each of them.

        What it says after a wrong guess is worthless; the keys of wrong guesses become nobody's.
        """
        rows: list[list[Answer]] = [[] for _ in self.batch["root_index"]]
        for answer in answers:
            rows[answer.row].append(answer)
        ids_of = [[token for a in row for token in (a.ids[-1], *a.draft)] for row in rows]
        owner = self._padded([[a.owner for a in row for _ in range(1 + len(a.draft))] for row in rows], NOBODY)
        position = self._padded(
            [[p for a in row for p in range(a.position, a.position + 1 + len(a.draft))] for row in rows], 0
        )
        first = self.owner.shape[1]
        out = self._read(self.model.embed_tokens(self._padded(ids_of, 0)), owner, position)
        said, places = [], [(number, at) for number, row in enumerate(ids_of) for at in range(len(row))]
        whose = [(a.owner, len(a.ids) + i) for row in rows for a in row for i in range(1 + len(a.draft))]
        tokens = iter(self._likeliest(out.logits, places, whose))
        for number, row in enumerate(rows):
            start = 0
            for answer in row:
                end = start + 1 + len(answer.draft)
                own = [next(tokens) for _ in range(start, end)]
                right = next((i for i, guess in enumerate(answer.draft) if guess != own[i]), len(answer.draft))
                self.owner[number, first + start + 1 + right : first + end] = NOBODY
                answer.position += 1 + right
                if self.regressed is not None:
                    self._regress(answer, right, out.hidden_states[-1][number, start:end])
                said.append((answer, own))
                start = end
        return said

    def _likeliest(self, logits: Tensor, places: list[tuple[int, int]], whose: list[tuple[int, int]]) -> list[int]:
        """The next tokens at these rows and columns of (B, L, V)."""
        rows, columns = torch.tensor(places, device=self.device).T
        logits = logits[rows, columns]
        return (self.steer(logits, whose) if self.steer else logits).argmax(-1).tolist()

    def _padded(self, values: list[list[int]], fill: int) -> Tensor:
        widest = max(map(len, values))
        return torch.tensor([row + [fill] * (widest - len(row)) for row in values], device=self.device)

    def _read(self, embeds: Tensor, owner: Tensor, position: Tensor, columns: Tensor | int = 0):
        """Append tokens (B, L, D) to the cache: the LLM's output, with logits of the `columns` only."""
        self.owner, self.position = torch.cat([self.owner, owner], 1), torch.cat([self.position, position], 1)
        return self.llm(
            inputs_embeds=embeds, position_ids=position, past_key_values=self.cache, use_cache=True,
            attention_mask=visible(owner, position, self.owner, self.position, embeds.dtype),
            logits_to_keep=columns, output_hidden_states=self.regressed is not None,
        )  # fmt: skip

    def _regress(self, answer: Answer, right: int, hidden: Tensor) -> None:
        """Read the IoU where `<iou_value>` stands among the last token and the right guesses."""
        read = [answer.ids[-1], *answer.draft[:right]]
        if answer.iou is None and self.regressed in read:
            answer.iou = float(self.model.read_number(hidden[read.index(self.regressed)]))
