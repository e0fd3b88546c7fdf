"""Makes batches of lessons about scenes: token ids, the contents of slots, what is to be said, known and looked at.

Several lessons about one scene share its video and audio. They follow one common prefix in one sequence, and an
attention layout keeps them from seeing each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from dataset.text.prompt import encode_text
from scripts.pretrain.mini import facts
from scripts.pretrain.mini.guides import Look
from scripts.pretrain.mini.lessons import TASKS
from scripts.pretrain.mini.told import Content, Lesson, Slot, Told, audio_prefix, video_prefix
from utils.tokens import EVERYBODY, IGNORE_INDEX, NOBODY, PLACEHOLDERS

SEED = 2_000
DECISION_WEIGHT = 6.0  # weight in the loss of the words that say whether a region matches and is whole
INSPECTING = 4  # tokens that look at a region, in each lesson: of its answer and the one before
REMEMBERED = 3  # frames or seconds between a thing's first slot and those that look at it
FACTS = list(facts.FACTS)
PREFIXES = {"motion": video_prefix, "sound": audio_prefix}  # and the kind that needs it


@dataclass(frozen=True)
class Stage:
    """One stage of training. `scenes`: in a batch; `lessons`: about each of them.

    `tasks` and `kinds`: how often each is drawn. `prefix`: video and audio stand before the lessons; each of them is
    empty with the probability `left_out`. `new_words`: embeddings of words learn, too.
    """

    name: str
    steps: int
    scenes: int
    lessons: int
    kinds: dict[str, float]
    tasks: dict[str, float]
    prefix: bool = True
    left_out: float = 0.0
    new_words: bool = False
    learning_rate: float = 1e-3

    def __post_init__(self):
        if self.lessons > 1 and not self.prefix:
            raise ValueError(f"stage {self.name}: expected a shared prefix for {self.lessons} lessons, got none")


@dataclass
class Row:
    """A sequence: one number for each token in the lists, and (position, ...) for what only some tokens have."""

    ids: list[int] = field(default_factory=list)
    owner: list[int] = field(default_factory=list)
    position: list[int] = field(default_factory=list)
    label: list[int] = field(default_factory=list)
    weight: list[float] = field(default_factory=list)
    contents: list[tuple[int, Content]] = field(default_factory=list)
    known: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    meant: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    decides: list[tuple[int, str]] = field(default_factory=list)  # positions of first words of answers


class Teacher:
    """Makes batches from scenes."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, scenes: Sequence[Told]):
        self.scenes, self.tokenizer = scenes, tokenizer
        self.encode = lru_cache(20_000)(partial(encode_text, tokenizer))
        self.placeholders = {tokenizer.convert_tokens_to_ids(token): token for token in PLACEHOLDERS}
        self.first_special, self.eos = min(self.placeholders), tokenizer.eos_token_id

    def batch(self, stage: Stage, step: int) -> dict:
        """The batch of that step of a stage."""
        rng = np.random.default_rng([SEED, 3, step, *stage.name.encode()])
        chosen = rng.integers(len(self.scenes), size=stage.scenes)
        return self._pad([self._row(rng, stage, self.scenes[i], 1 + n * stage.lessons) for n, i in enumerate(chosen)])

    def _row(self, rng: np.random.Generator, stage: Stage, told: Told, first_number: int) -> Row:
        row, prefix = Row(), []
        kinds = {name: share for name, share in stage.kinds.items() if told.references[name]}
        heard = False
        if stage.prefix:
            text, slots = "<s>", []
            for kind, head in PREFIXES.items():
                words, shown = head(rng, told)
                if rng.random() < stage.left_out:
                    kinds.pop(kind, None)
                    shown = []
                elif kind == "sound":
                    heard = True
                text += words
                slots.append(shown)
            prefix = self._append(row, EVERYBODY, 0, text, slots)
            row.looks += _remember(prefix)
        shared = len(row.ids)
        for number in range(first_number, first_number + stage.lessons):
            kind = _draw(rng, kinds)
            lesson = TASKS[_draw(rng, stage.tasks) if kind else "region"](rng, told, kind, heard)
            text = lesson.text if stage.prefix else f"<s>{lesson.text.removeprefix('<s>')}"
            self._append_lesson(row, number, shared, text, lesson, told, prefix)
        return row

    def _append(
        self, row: Row, owner: int, start: int, text: str, pictures: list[list[Slot]]
    ) -> list[tuple[int, Slot]]:
        """Append text and pictures to the row; their positions begin at `start`. Returns all slots with their places.

        A special token that the mini LLM does not learn here is like an empty slot.
        """
        first, left, slots = len(row.ids), list(pictures), []
        for id_ in self.encode(text):
            shown = left.pop(0) if id_ in self.placeholders else [Slot({})] if id_ >= self.first_special else None
            if shown is None:
                row.ids.append(id_)
                continue
            at = range(len(row.ids), len(row.ids) + len(shown))
            slots += zip(at, shown, strict=True)
            row.ids += [0] * len(shown)
        row.contents += [(at, slot.content) for at, slot in slots]
        row.known += [(at, slot.known) for at, slot in slots if slot.known]
        self._fill(row, first, owner, start)
        return slots

    def _fill(self, row: Row, first: int, owner: int, start: int) -> None:
        """Owners and positions of the tokens from `first` on, and no labels where there are none yet."""
        count = len(row.ids) - first
        row.owner += [owner] * count
        row.position += range(start, start + count)
        unlabelled = len(row.ids) - len(row.label)
        row.label += [IGNORE_INDEX] * unlabelled
        row.weight += [0.0] * unlabelled

    def _append_lesson(
        self,
        row: Row,
        number: int,
        start: int,
        text: str,
        lesson: Lesson,
        told: Told,
        prefix: list[tuple[int, Slot]],
    ) -> None:
        first = len(row.ids)
        slots = self._append(row, number, start, text, lesson.pictures)
        answer, begin = [*self.encode(lesson.answer), self.eos], len(row.ids)
        row.ids += answer
        row.label += answer
        weights = [1.0] * len(answer)
        if lesson.decision:
            decisive = len(self.encode(lesson.decision))
            weights[:decisive] = [DECISION_WEIGHT] * decisive
            row.decides.append((begin, lesson.name))
        row.weight += weights
        self._fill(row, begin, number, start + begin - first)
        if lesson.reference:
            self._guide(row, lesson, told, prefix, slots, begin)

    def _guide(
        self,
        row: Row,
        lesson: Lesson,
        told: Told,
        prefix: list[tuple[int, Slot]],
        slots: list[tuple[int, Slot]],
        begin: int,
    ) -> None:
        """What is known at the end of the asked frame, and where it, a region and what stands behind it look.

        The lesson's answer begins at `begin`.
        """
        reference = lesson.reference
        frame, region = lesson.pictures[0], lesson.pictures[-1] if lesson.has_region else []
        in_frame = [(at, slot) for at, slot in slots if any(slot is own for own in frame)]
        end = in_frame[-1][0] + 1  # <image_end> follows the frame
        row.meant.append((end, facts.in_region(told.scene, reference.target, told.on)))
        telling = [
            at for at, slot in [*prefix, *in_frame] if slot.thing == reference.target and reference.kind in slot.tells
        ]
        if telling:
            row.looks.append(Look("means", end, telling))
        for at, slot in in_frame:
            heard = [place for place, other in prefix if other.thing == slot.thing and "sound" in other.tells]
            if slot.thing is not None and heard:
                row.looks.append(Look("hears", at, heard))
        in_region = [(at, slot) for at, slot in slots if any(slot is own for own in region)]
        shown = [(at, slot.thing) for at, slot in in_region if slot.thing is not None]
        row.looks += [Look("compares", at, [end if number == reference.target else at]) for at, number in shown]
        if shown:
            some = np.linspace(begin - 1, len(row.ids) - 1, INSPECTING).astype(int).tolist()
            row.looks += [Look("inspects", at, [place for place, _ in shown]) for at in some]

    def _pad(self, rows: list[Row]) -> dict:
        """Rows -> tensors of B rows, padded on the right to L positions.

        Told slots: `slots` (n,) are their places in the flattened batch of B * L; `words` and `shares` (n, words per
        bag) are their token ids and weights. Seen ones: `seen_slots` (m,) and `seen` (m, D). `known` and `meant`:
        places (k,) and classes (k, F) of facts, IGNORE_INDEX where a fact is not known. `looks`: see `guide_losses`.
        """
        longest = max(len(row.ids) for row in rows)
        fill = {"ids": 0, "owner": NOBODY, "position": 0, "label": IGNORE_INDEX, "weight": 0.0}
        batch: dict = {
            name: torch.tensor([getattr(row, name) + [value] * (longest - len(row.ids)) for row in rows])
            for name, value in fill.items()
        }
        contents = [(i * longest + at, content) for i, row in enumerate(rows) for at, content in row.contents]
        bags = [(at, self._bag(bag)) for at, bag in contents if not isinstance(bag, Tensor)]
        widest = max(1, *(len(bag) for _, bag in bags))
        filled = [bag + [(0, 0.0)] * (widest - len(bag)) for _, bag in bags]
        batch["slots"] = torch.tensor([at for at, _ in bags])
        batch["words"] = torch.tensor([[id_ for id_, _ in bag] for bag in filled])
        batch["shares"] = torch.tensor([[share for _, share in bag] for bag in filled])
        seen = [(at, token) for at, token in contents if isinstance(token, Tensor)]
        batch["seen_slots"] = torch.tensor([at for at, _ in seen], dtype=torch.long)
        batch["seen"] = torch.stack([token for _, token in seen]).float() if seen else torch.empty(0, 0)
        for name in ("known", "meant"):
            places = [(i * longest + at, values) for i, row in enumerate(rows) for at, values in getattr(row, name)]
            batch[name] = _classes(places)
        batch["looks"] = _looks(rows, longest)
        batch["decides"] = [(i, at, name) for i, row in enumerate(rows) for at, name in row.decides]
        return batch

    def _bag(self, bag: dict[str, float]) -> list[tuple[int, float]]:
        return [(id_, share) for word, share in bag.items() for id_ in self.encode(word)]


def _remember(slots: list[tuple[int, Slot]]) -> list[Look]:
    """From a thing's slots in the video, or in the sound, to the first of them, where some time lies between."""
    first: dict[tuple[int, bool], tuple[int, Slot]] = {}
    looks = []
    for at, slot in slots:
        if slot.thing is not None:
            place, earliest = first.setdefault((slot.thing, "sound" in slot.tells), (at, slot))
            if slot.moment - earliest.moment >= REMEMBERED:
                looks.append(Look("remembers", at, [place]))
    return looks


def _draw(rng: np.random.Generator, shares: dict[str, float]) -> str | None:
    """A name, drawn with a probability proportional to its share; None if there is no name."""
    if not shares:
        return None
    weights = np.array(list(shares.values()))
    return str(rng.choice(list(shares), p=weights / weights.sum()))


def _classes(places: list[tuple[int, dict[str, str]]]) -> tuple[Tensor, Tensor]:
    classes = torch.full((len(places), len(FACTS)), IGNORE_INDEX)
    for n, (_, values) in enumerate(places):
        for name, value in values.items():
            classes[n, FACTS.index(name)] = facts.FACTS[name].index(value)
    return torch.tensor([at for at, _ in places], dtype=torch.long), classes


def _looks(rows: list[Row], longest: int) -> dict[str, tuple[Tensor, Tensor, Tensor]]:
    """Head -> rows (n,), tokens (n,), and which places are right ones (n, L)."""
    told: dict[str, list[tuple[int, Look]]] = {}
    for i, row in enumerate(rows):
        for look in row.looks:
            told.setdefault(look.head, []).append((i, look))
    looks = {}
    for head, own in told.items():
        right = torch.zeros(len(own), longest, dtype=torch.bool)
        for n, (_, look) in enumerate(own):
            right[n, look.at] = True
        looks[head] = torch.tensor([i for i, _ in own]), torch.tensor([look.token for _, look in own]), right
    return looks
