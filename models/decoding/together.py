"""Greedy answers for many masks at once: what prompts have in common is read once (see `dataset.batches.grouping`).

All masks of a row write into the same cache. Each key has an owner: a token sees the keys that are everybody's and
those of its own mask.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from transformers.modeling_outputs import CausalLMOutputWithPast

from models.decoding.cache import cache_argument, make_roomy_cache
from models.decoding.drafts import Drafts
from models.decoding.watching import probabilities_of
from models.language.attention import attention_masks
from models.language.audio_visual import AudioVisualLM
from utils.batches import GroupedBatch
from utils.tokens import EVERYBODY, NOBODY

Steer = Callable[[Tensor, list[tuple[int, int]]], Tensor]


@dataclass
class Answer:
    """What one mask has been answered so far. `owner`: its number in the batch, from 1."""

    row: int
    owner: int
    position: int  # of the first token that the LLM has not read yet
    ids: list[int] = field(default_factory=list)
    draft: list[int] = field(default_factory=list)  # guesses of what follows, read together with the last token
    seen: list[Tensor] = field(default_factory=list)  # for each of `ids`, the probabilities (W,) of watched tokens
    done: bool = False
    number: float | None = None  # read at the first regressed token

    def unread(self) -> list[int]:
        """The last token and the guesses of what follows."""
        return [self.ids[-1], *self.draft]

    def take(self, said: Said, stops: set[int], longest: int) -> None:
        """Add what the LLM said after the last token and after each guess, as far as the guesses were right."""
        for token, seen, guess in zip(said.tokens, said.seen, [*self.draft, None], strict=True):
            self.ids.append(token)
            self.seen.append(seen)
            self.done = token in stops or len(self.ids) == longest
            if self.done or token != guess:
                break


@dataclass(frozen=True)
class Said:
    """The likeliest next tokens, n of them, and the probabilities (n, W) of the watched tokens in their places."""

    tokens: list[int]
    seen: Tensor


@dataclass(frozen=True)
class Span:
    """Where the unread tokens of an answer stand among all that its row reads in one step: columns start to end."""

    answer: Answer
    start: int
    end: int


@torch.inference_mode()
def answer_together(
    model: AudioVisualLM,
    batch: GroupedBatch,
    max_new_tokens: int = 256,
    drafts: Drafts | None = None,
    steer: Steer | None = None,
    watched: Sequence[int] = (),
) -> list[Answer]:
    """A batch of a `GroupingCollator` -> per item its answer: new token ids, ended by eos unless cut off, and the IoU.

    In float32 the tokens are those of each item alone, with and without drafts: a guess counts where it is what the
    model says. `drafts` learns the answers. `steer` changes logits (n, V) of the next tokens, given for each of them
    (owner, number of tokens before it in the answer): models with random weights are measured with it. `watched`: W
    tokens whose probabilities are kept in every place of an answer (`Answer.seen`).
    """
    reader, stops = _Reader(model, batch, steer, watched), set(model.stop_ids())
    said = reader.start()
    while True:
        for answer, one in said:
            answer.take(one, stops, max_new_tokens)
        still_open = [answer for answer in reader.answers if not answer.done]
        if not still_open:
            break
        if drafts:
            for answer in still_open:
                answer.draft = drafts.guess(answer.ids, len(still_open))[: max_new_tokens - len(answer.ids) - 1]
        said = reader.read_on(still_open)
    if drafts:
        for answer in reader.answers:
            drafts.learn(answer.ids)
    return reader.answers


class _Reader:
    """The LLM with its cache for a batch: R roots, then B rows.

    K keys are in the cache; `owner` and `position` (R or B, K) are theirs.
    """

    def __init__(self, model: AudioVisualLM, batch: GroupedBatch, steer: Steer | None, watched: Sequence[int]):
        self.watched = torch.tensor(watched, dtype=torch.long, device=model.device)
        self.model, self.llm, self.device = model, model.language_model, model.device
        self.batch, self.steer, self.regressed = batch, steer, model.regressed_token()
        self.cache = make_roomy_cache(self.llm.config.num_hidden_layers)
        self.cache_argument = cache_argument(self.llm)
        self.owner = torch.empty(len(batch["roots"]["owner"]), 0, dtype=torch.long, device=self.device)  # (R, 0)
        self.position = self.owner
        self.ends = _last_positions(batch["rows"]["owner"].tolist())
        positions = batch["rows"]["position_ids"]
        self.answers = [
            Answer(row, owner, int(positions[row, column]) + 1) for owner, (row, column) in sorted(self.ends.items())
        ]

    def start(self) -> list[tuple[Answer, Said]]:
        """Read the prompts: the first token of every answer."""
        roots, rows, root_index = self.batch["roots"], self.batch["rows"], self.batch["root_index"]
        images, sounds = self.model.read_media(self.batch)
        self._read(self.model.embed(roots, (images, sounds)), roots["owner"], roots["position_ids"], 1)
        for layer in self.cache.layers:  # R roots -> B rows
            layer.batch_select_indices(root_index)
        self.owner, self.position = self.owner[root_index], self.position[root_index]  # (R, K) -> (B, K)

        columns = sorted({column for _, column in self.ends.values()})  # where a prompt ends, in any of the rows
        kept = torch.tensor(columns, device=self.device)
        embeds = self.model.embed(rows, (images, None))  # all sounds stand in the roots
        logits = self._read(embeds, rows["owner"], rows["position_ids"], kept).logits  # (B, columns, V)
        ends = [self.ends[answer.owner] for answer in self.answers]
        places = [(row, columns.index(column)) for row, column in ends]
        said = self._likeliest(logits, places, [(answer.owner, 0) for answer in self.answers])
        return list(zip(self.answers, _split(said, [1] * len(places)), strict=True))

    def read_on(self, answers: list[Answer]) -> list[tuple[Answer, Said]]:
        """Read the last token of each answer and its draft: what the LLM says after each of them.

        What it says after a wrong guess is worthless; the keys of wrong guesses become nobody's.
        """
        spans = self._lay_out(answers)
        first = self.owner.shape[1]  # the cache's column of the first token that is read now
        out = self._read_spans(spans)
        places, whose = [], []
        for span in spans:
            for i in range(span.end - span.start):
                places.append((span.answer.row, span.start + i))
                whose.append((span.answer.owner, len(span.answer.ids) + i))
        said = _split(self._likeliest(out.logits, places, whose), [span.end - span.start for span in spans])
        for span, own in zip(spans, said, strict=True):
            self._settle(span, own.tokens, first, out)
        return [(span.answer, own) for span, own in zip(spans, said, strict=True)]

    def _lay_out(self, answers: list[Answer]) -> list[Span]:
        """The unread tokens of all answers of a row stand one after the other."""
        spans, ends = [], [0] * len(self.owner)
        for answer in answers:
            start = ends[answer.row]
            ends[answer.row] += len(answer.unread())
            spans.append(Span(answer, start, ends[answer.row]))
        return spans

    def _read_spans(self, spans: list[Span]) -> CausalLMOutputWithPast:
        """Read the unread tokens, L of them in the longest row: logits (B, L, V)."""
        longest = max(span.end for span in spans)
        ids, owner, position = ([[fill] * longest for _ in self.owner] for fill in (0, NOBODY, 0))  # (B, L) each
        for span in spans:
            row, columns, length = span.answer.row, slice(span.start, span.end), span.end - span.start
            ids[row][columns] = span.answer.unread()
            owner[row][columns] = [span.answer.owner] * length
            position[row][columns] = range(span.answer.position, span.answer.position + length)
        ids, owner, position = (torch.tensor(values, device=self.device) for values in (ids, owner, position))
        return self._read(self.model.embed_tokens(ids), owner, position)

    def _settle(self, span: Span, said: list[int], first: int, out: CausalLMOutputWithPast) -> None:
        """Keep the right guesses of an answer: `said` is what the LLM says after its last token and each guess."""
        answer = span.answer
        right = 0
        while right < len(answer.draft) and answer.draft[right] == said[right]:
            right += 1
        self.owner[answer.row, first + span.start + 1 + right : first + span.end] = NOBODY
        answer.position += 1 + right
        read = answer.unread()[: 1 + right]
        if self.regressed in read and answer.number is None:
            hidden = out.hidden_states[-1][answer.row, span.start + read.index(self.regressed)]  # (D,)
            answer.number = float(self.model.read_number(hidden))

    def _likeliest(self, logits: Tensor, places: list[tuple[int, int]], whose: list[tuple[int, int]]) -> Said:
        """The next tokens at these rows and columns of (B, L, V)."""
        rows, columns = torch.tensor(places, device=self.device).T
        logits = logits[rows, columns]  # (B, L, V) -> (places, V)
        if self.steer:
            logits = self.steer(logits, whose)
        return Said(logits.argmax(-1).tolist(), probabilities_of(self.watched, logits))

    def _read(
        self, embeds: Tensor, owner: Tensor, position: Tensor, columns: Tensor | int = 0
    ) -> CausalLMOutputWithPast:
        """Append tokens (B, L, D) to the cache: the LLM's output, with logits of the `columns` only (0: of all)."""
        self.owner = torch.cat([self.owner, owner], 1)  # (B, K) -> (B, K + L)
        self.position = torch.cat([self.position, position], 1)
        return self.llm(
            inputs_embeds=embeds,
            position_ids=position,
            **{self.cache_argument: self.cache},
            use_cache=True,
            attention_mask=attention_masks(self.llm.config, owner, position, self.owner, self.position, embeds.dtype),
            logits_to_keep=columns,
            output_hidden_states=self.regressed is not None,
        )


def _split(said: Said, sizes: list[int]) -> list[Said]:
    """What is said of several answers, one after the other, as parts of these sizes."""
    parts, start = [], 0
    for size, seen in zip(sizes, said.seen.split(sizes), strict=True):
        parts.append(Said(said.tokens[start : start + size], seen))
        start += size
    return parts


def _last_positions(owner: list[list[int]]) -> dict[int, tuple[int, int]]:
    """(B, L) owners -> row and column of the last position of each mask."""
    ends = {}
    for row, owners in enumerate(owner):
        for column, number in enumerate(owners):
            if number > EVERYBODY:
                ends[number] = row, column
    return ends
