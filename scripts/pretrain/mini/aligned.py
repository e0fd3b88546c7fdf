"""Trains the two projectors: a picture's or a second's tokens should be the bags of words that tell what is there.

So the LLM can read what is seen and heard as it reads what it was told. Which token shows which thing is free.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from dataset.media.lengths import NUM_FRAMES
from dataset.text.prompt import encode_text
from dataset.world import descriptions as say
from scripts.pretrain.mini.assigned import MOST_THINGS, errors
from scripts.pretrain.mini.encoded import VIEWS, Encoded
from scripts.pretrain.mini.schedule import train

SEED = 6_000
FRAMES = 0.35  # share of whole frames among the pictures
BATCH_SIZE, LEARNING_RATE = 64, 2e-3
IMAGE_STEPS, SOUND_STEPS = 4_000, 1_200
EMPTY_WEIGHT = 0.5  # of tokens that show nothing, in the loss

Example = tuple[Tensor, list[say.Bag]]  # features of a picture or a second (N, E), and a bag for each thing


@dataclass(frozen=True)
class Words:
    """What bags of words are for the LLM. `table`: (V, D) its embeddings; `encode`: text to token ids."""

    table: Tensor
    encode: Callable[[str], list[int]]

    def mean(self, bag: say.Bag) -> Tensor:
        """(D,): the weighted sum of the embeddings of a bag's words."""
        total = torch.zeros(self.table.shape[1])
        for word, share in bag.items():
            for id_ in self.encode(word):
                total += share * self.table[id_]
        return total


def words_of(table: Tensor, tokenizer) -> Words:
    return Words(table.detach().float(), partial(encode_text, tokenizer))


def picture_examples(scene: Encoded, number: int) -> Example:
    """A frame for numbers below 10, then the mask and the masked frame of each cut."""
    if number < NUM_FRAMES:
        numbered = say.frame_bags(scene.told.scene, number - scene.told.scene.key_frame)
        return scene.frames[number], [bag for bag, _ in numbered]
    cut, view = divmod(number - NUM_FRAMES, len(VIEWS))
    own = scene.cuts[cut]
    numbered = say.region_bags(scene.told.scene, own.targets, own.state, scene.told.on)[view]
    return scene.regions[cut, view], [bag for bag, _ in numbered]


def some_picture(rng: np.random.Generator, scene: Encoded) -> Example:
    cuts = NUM_FRAMES + rng.integers(len(VIEWS) * len(scene.cuts))
    return picture_examples(scene, int(rng.integers(NUM_FRAMES) if rng.random() < FRAMES else cuts))


def some_second(rng: np.random.Generator, scene: Encoded) -> Example:
    t = int(rng.integers(NUM_FRAMES))
    return scene.seconds[t], [bag for bag, _ in say.sound_bags(scene.told.scene, t)]


def make_batch(words: Words, encoded: Sequence[Encoded], draw: Callable[..., Example], step: int) -> dict[str, Tensor]:
    """features (M, N, E), what is wanted (M, 4, D), and which of four things are there (M, 4)."""
    rng = np.random.default_rng([SEED, step])
    examples = [draw(rng, encoded[i]) for i in rng.integers(len(encoded), size=BATCH_SIZE)]
    wanted = torch.zeros(BATCH_SIZE, MOST_THINGS, words.table.shape[1])
    present = torch.zeros(BATCH_SIZE, MOST_THINGS, dtype=torch.bool)
    for n, (_, bags) in enumerate(examples):
        for thing, bag in enumerate(bags):
            wanted[n, thing], present[n, thing] = words.mean(bag), True
    return {"features": torch.stack([features for features, _ in examples]), "wanted": wanted, "present": present}


def losses(projector: nn.Module, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """The loss, and the share of the variance of things' tokens that is not explained."""
    tokens = projector(batch["features"].float())
    things, empty = errors(tokens, batch["wanted"], batch["present"])
    scale = batch["wanted"][batch["present"]].square().mean()
    return {"loss": (things + EMPTY_WEIGHT * empty) / scale, "things": things / scale, "empty": empty / scale}


def align(projectors: dict[str, nn.Module], words: Words, encoded: Sequence[Encoded], work: Path) -> None:
    """Train the projectors "image" and "sound" in place."""
    for name, steps, draw in (("image", IMAGE_STEPS, some_picture), ("sound", SOUND_STEPS, some_second)):
        train(
            f"aligned_{name}",
            projectors[name],
            partial(make_batch, words, encoded, draw),
            partial(losses, projectors[name]),
            steps=steps,
            learning_rate=LEARNING_RATE,
            folder=work,
            seed=SEED,
        )
