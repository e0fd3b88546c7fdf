"""Trains the mini LLM on described scenes (see `lessons`) in two stages: what is seen, then also what is heard.

In the second stage, several lessons about one scene share its video and audio. They follow one common prefix in one
sequence, and an attention layout keeps them from seeing each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerBase

from dataset.text.prompt import encode_text
from dataset.world import descriptions as say
from dataset.world.free_scenes import all_references, free_scene
from models.auditor.build import load_tokenizer
from models.language.attention import BEHIND_PROMPTS, lay_out
from models.weights.base_folders import save_model
from scripts.pretrain.mini.lessons import TASKS
from scripts.pretrain.mini.schedule import train
from scripts.pretrain.mini.told import Described, Lesson, Told, audio_prefix, video_prefix
from utils.tokens import DIRECT_NTP, EVERYBODY, IGNORE_INDEX, NOBODY, PLACEHOLDERS

SEED = 2_000  # of the scenes
NUM_SCENES = 12_000
SIZES = {"hidden_size": 128, "intermediate_size": 320, "num_hidden_layers": 4}
HEADS = 4
EMBEDDING_STD = 0.3
NOISE = 0.12  # standard deviation of the noise that is added to the embedding of a bag
DECISION_WEIGHT = 6.0  # weight in the loss of the words that say whether a region matches and is whole
VISUAL = ("appearance", "position", "size")


@dataclass(frozen=True)
class Stage:
    """One stage of training. `scenes`: in a batch; `lessons`: about each of them.

    `tasks` and `kinds`: how often each is drawn. `heads`: functions that make the shared prefix.
    """

    name: str
    steps: int
    scenes: int
    lessons: int
    heads: tuple = ()
    kinds: dict[str, float] = field(default_factory=dict)
    tasks: dict[str, float] = field(default_factory=dict)
    learning_rate: float = 1e-3

    def __post_init__(self):
        if self.lessons > 1 and not self.heads:
            raise ValueError(f"stage {self.name}: expected a shared prefix for {self.lessons} lessons, got none")


STAGES = (
    Stage(
        name="seen",
        steps=1_000,
        scenes=160,
        lessons=1,
        kinds=dict.fromkeys(VISUAL, 1.0),
        tasks={"match": 0.58, "find": 0.18, "region": 0.08, "state": 0.06, "frame": 0.1},
    ),
    Stage(
        name="heard",
        steps=400,
        scenes=12,
        lessons=8,
        heads=(video_prefix, audio_prefix),
        kinds={"sound": 0.4, **dict.fromkeys(VISUAL, 0.2)},
        tasks={"match": 0.44, "find": 0.12, "region": 0.08, "state": 0.05, "frame": 0.07, "hear": 0.24},
    ),
)


class Teacher:
    """Makes batches from scenes: token ids, and bags of words or features where pictures are."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, scenes: Sequence[Told]):
        self.scenes, self.tokenizer = scenes, tokenizer
        self.encode = lru_cache(20_000)(partial(encode_text, tokenizer))
        self.placeholders = {tokenizer.convert_tokens_to_ids(token): token for token in PLACEHOLDERS}
        self.first_special, self.eos = min(self.placeholders), tokenizer.eos_token_id
        self.word_ids = lru_cache(None)(lambda word: self.encode(word))

    def batch(self, stage: Stage, step: int) -> dict:
        """The batch of that step of a stage."""
        rng = np.random.default_rng([SEED, 3, step, *stage.name.encode()])
        chosen = rng.integers(len(self.scenes), size=stage.scenes)
        return _pad([self._row(rng, stage, self.scenes[i], 1 + n * stage.lessons) for n, i in enumerate(chosen)])

    def _row(self, rng: np.random.Generator, stage: Stage, told: Told, first_number: int) -> dict:
        names = ("ids", "owner", "position", "label", "weight", "bags", "seen", "decides")
        row: dict = {name: [] for name in names}
        text, pictures = "<s>", []
        for head in stage.heads:
            words, shown = head(rng, told)
            text, pictures = text + words, pictures + shown
        if stage.heads:
            self._append(row, EVERYBODY, 0, text, pictures)
        shared = len(row["ids"])
        for number in range(first_number, first_number + stage.lessons):
            kind = _draw(rng, {name: share for name, share in stage.kinds.items() if told.references[name]})
            task = _draw(rng, stage.tasks) if kind else "region"
            lesson = TASKS[task](rng, told, kind)
            text = lesson.text if stage.heads else f"<s>{lesson.text.removeprefix('<s>')}"
            self._append(row, number, shared, text, lesson.pictures, lesson)
        return row

    def _append(
        self, row: dict, owner: int, start: int, text: str, pictures: list, lesson: Lesson | None = None
    ) -> None:
        """Append text, pictures and answer to the row; their positions begin at `start`."""
        ids, left = [], list(pictures)
        for id_ in self.encode(text):
            if id_ in self.placeholders:
                for token in left.pop(0):
                    at = len(row["ids"]) + len(ids)
                    if isinstance(token, Tensor):
                        row["seen"].append((at, token))
                    else:
                        row["bags"].append((at, self._bag(token)))
                    ids.append(0)
            elif id_ >= self.first_special:  # a special token that the mini LLM does not learn here
                row["bags"].append((len(row["ids"]) + len(ids), []))
                ids.append(0)
            else:
                ids.append(id_)
        answer = [*self.encode(lesson.answer), self.eos] if lesson else []
        weights = [1.0] * len(answer)
        if lesson and lesson.decision:
            decisive = len(self.encode(lesson.decision))
            weights[:decisive] = [DECISION_WEIGHT] * decisive
            row["decides"].append((len(row["ids"]) + len(ids), lesson.kind or lesson.task))
        count = len(ids) + len(answer)
        row["label"] += [IGNORE_INDEX] * len(ids) + answer
        row["weight"] += [0.0] * len(ids) + weights
        row["ids"] += ids + answer
        row["owner"] += [owner] * count
        row["position"] += range(start, start + count)

    def _bag(self, bag: say.Bag) -> list[tuple[int, float]]:
        return [(id_, share) for word, share in bag.items() for id_ in self.word_ids(word)]


def _draw(rng: np.random.Generator, shares: dict[str, float]) -> str | None:
    """A name, drawn with a probability proportional to its share; None if there is no name."""
    if not shares:
        return None
    weights = np.array(list(shares.values()))
    return str(rng.choice(list(shares), p=weights / weights.sum()))


def _pad(rows: list[dict]) -> dict:
    """Rows -> tensors of B rows, padded on the right to L positions.

    Bags: `slots` (n,) are their positions in the flattened batch of B * L; `words` and `shares` (n, words per bag) are
    their token ids and weights. Outputs of projectors: `seen_slots` (m,) and `seen` (m, D).
    """
    longest = max(len(row["ids"]) for row in rows)
    fill = {"ids": 0, "owner": NOBODY, "position": 0, "label": IGNORE_INDEX, "weight": 0.0}
    batch = {
        name: torch.tensor([row[name] + [value] * (longest - len(row[name])) for row in rows])
        for name, value in fill.items()
    }
    bags = [(i * longest + at, bag) for i, row in enumerate(rows) for at, bag in row["bags"]]
    widest = max(1, *(len(bag) for _, bag in bags))
    filled = [bag + [(0, 0.0)] * (widest - len(bag)) for _, bag in bags]
    batch["slots"] = torch.tensor([at for at, _ in bags])
    batch["words"] = torch.tensor([[id_ for id_, _ in bag] for bag in filled])
    batch["shares"] = torch.tensor([[share for _, share in bag] for bag in filled])
    seen = [(i * longest + at, token) for i, row in enumerate(rows) for at, token in row["seen"]]
    batch["seen_slots"] = torch.tensor([at for at, _ in seen], dtype=torch.long)
    batch["seen"] = torch.stack([token for _, token in seen]).float() if seen else torch.empty(0, SIZES["hidden_size"])
    batch["decides"] = [(i, at, kind) for i, row in enumerate(rows) for at, kind in row["decides"]]
    return batch


class Pupil(nn.Module):
    """The LLM. Where a picture is, it reads bags of words or outputs of a projector."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase):
        super().__init__()
        config = LlamaConfig(
            vocab_size=min(tokenizer.convert_tokens_to_ids(list(PLACEHOLDERS))),
            **SIZES,
            num_attention_heads=HEADS,
            num_key_value_heads=HEADS,
            max_position_embeddings=2048,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            initializer_range=0.05,
        )
        self.llama = LlamaForCausalLM(config)
        self.llama.set_attn_implementation(BEHIND_PROMPTS)
        self._order_embeddings(tokenizer)

    @torch.no_grad()
    def _order_embeddings(self, tokenizer: PreTrainedTokenizerBase) -> None:
        """Initialise the words of each ordered list along a line: neighbours have similar embeddings."""
        table = self.llama.model.embed_tokens.weight
        nn.init.normal_(table, std=EMBEDDING_STD)
        for words in say.ORDERED:
            middle, direction = EMBEDDING_STD * torch.randn(2, table.shape[1])
            for word, along in zip(words, torch.linspace(-1.5, 1.5, len(words)), strict=True):
                (id_,) = encode_text(tokenizer, word)
                table[id_] = middle + along * direction + 0.1 * torch.randn(table.shape[1])

    def hidden(self, batch: dict) -> Tensor:
        """(B, L, D) last hidden states."""
        table = self.llama.model.embed_tokens
        embeds = table(batch["ids"])
        meanings = (table(batch["words"]) * batch["shares"][..., None]).sum(1)
        meanings = meanings + NOISE * torch.randn_like(meanings)
        flat = embeds.flatten(0, 1).index_copy(0, batch["slots"], meanings)
        embeds = flat.index_copy(0, batch["seen_slots"], batch["seen"]).view_as(embeds)
        owner = batch["owner"]
        layout = lay_out(owner) if (owner == EVERYBODY).any() else None
        return self.llama.model(
            inputs_embeds=embeds,
            attention_mask=owner != NOBODY,
            position_ids=batch["position"],
            use_cache=False,
            layout=layout,
        ).last_hidden_state

    def losses(self, batch: dict) -> dict[str, Tensor]:
        """The weighted loss of the answers, and the share of right first words, by kind of expression or task."""
        hidden, labels, weights = self.hidden(batch)[:, :-1], batch["label"][:, 1:], batch["weight"][:, 1:]
        learned = labels != IGNORE_INDEX
        scores = self.llama.lm_head(hidden[learned])
        loss = F.cross_entropy(scores, labels[learned], reduction="none")
        hits = torch.zeros(labels.shape).masked_scatter(learned, (scores.argmax(-1) == labels[learned]).float())
        told = {"loss": (loss * weights[learned]).sum() / weights[learned].sum(), "words": hits[learned].mean()}
        for name in dict.fromkeys(name for _, _, name in batch["decides"]):
            told[name] = torch.stack([hits[i, at - 1] for i, at, own in batch["decides"] if own == name]).mean()
        return told


def tell(seed: int, number: int) -> Told:
    """A scene and its references. References to spinning are left out: a bag of words does not show it."""
    scene = free_scene(seed, number)
    references = all_references(scene)
    if any(thing.motion.kind == "spinning" for thing in scene.things):
        references["motion"] = [ref for ref in references["motion"] if ref.facet not in ("spinning", "still")]
    return Told(scene, references, Described(scene))


def tell_all(seed: int, count: int) -> list[Told]:
    """The first `count` scenes of a seed, drawn in two processes."""
    with ProcessPoolExecutor(2) as pool:
        numbers = pool.map(partial(tell, seed), range(count), chunksize=50)
        return list(tqdm(numbers, "drawing scenes", count, mininterval=5))


def make_language_model(folder: Path, work: Path) -> None:
    """Train all stages and save the LLM in transformers' format. Its tokenizer must already be in `folder`."""
    tokenizer = load_tokenizer(folder, DIRECT_NTP)
    torch.manual_seed(SEED)
    model = Pupil(tokenizer)
    finished = all((work / f"language_{stage.name}.done.pt").is_file() for stage in STAGES)
    teacher = Teacher(tokenizer, [] if finished else tell_all(SEED, NUM_SCENES))
    for number, stage in enumerate(STAGES):
        train(
            f"language_{stage.name}",
            model,
            partial(teacher.batch, stage),
            model.losses,
            steps=stage.steps,
            learning_rate=stage.learning_rate,
            folder=work,
            seed=SEED + number,
        )
    save_model(model.llama.half(), folder)
