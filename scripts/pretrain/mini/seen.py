"""Scenes as the LLM sees and hears them: tokens of the projectors, and which of them shows which thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from dataset.media.lengths import NUM_FRAMES
from dataset.world import descriptions as say
from scripts.pretrain.mini.aligned import Words
from scripts.pretrain.mini.assigned import MOST_THINGS, assign
from scripts.pretrain.mini.encoded import VIEWS, Cut, Encoded
from scripts.pretrain.mini.told import Shown, Told

Picture = list[Shown]


@dataclass(frozen=True)
class Seen:
    """A scene in tokens of the projectors, each with what it shows."""

    video: list[Picture]
    audio: list[Picture]
    regions: list[tuple[Picture, Picture]]  # mask and masked frame of each cut
    cuts: list[Cut]

    def frame(self, rng: np.random.Generator, t: int) -> Picture:
        return self.video[t]

    def second(self, rng: np.random.Generator, t: int) -> Picture:
        return self.audio[t]

    def region(self, rng: np.random.Generator, targets: list[int]) -> tuple[Picture, Picture, str]:
        fitting = [i for i, cut in enumerate(self.cuts) if set(cut.targets) == set(targets)]
        chosen = fitting[rng.integers(len(fitting))]
        return *self.regions[chosen], self.cuts[chosen].state

    def two(self, rng: np.random.Generator) -> list[int]:
        pairs = [cut.targets for cut in self.cuts if len(cut.targets) == 2]
        return list(pairs[rng.integers(len(pairs))])


@torch.inference_mode()
def show_all(projectors: dict[str, nn.Module], words: Words, encoded: Sequence[Encoded]) -> list[Told]:
    """Pass encoded scenes through the projectors "image" and "sound"."""
    return [
        replace(scene.told, view=_show(projectors, words, scene))
        for scene in tqdm(encoded, "showing scenes", mininterval=5)
    ]


def _show(projectors: dict[str, nn.Module], words: Words, scene: Encoded) -> Seen:
    things, key = scene.told.scene, scene.told.scene.key_frame
    regions = [bags for cut in scene.cuts for bags in say.region_bags(things, cut.targets, cut.state, scene.told.on)]
    pictures = torch.cat([scene.frames, scene.regions.flatten(0, 1)])
    shown = [*(say.frame_bags(things, t - key) for t in range(NUM_FRAMES)), *regions]
    images = _assigned(projectors["image"](pictures.float()), words, shown)
    heard = [say.sound_bags(things, t) for t in range(NUM_FRAMES)]
    sounds = _assigned(projectors["sound"](scene.seconds.float()), words, heard)
    cut_out = images[NUM_FRAMES:]
    pairs = [(cut_out[i], cut_out[i + 1]) for i in range(0, len(cut_out), len(VIEWS))]
    return Seen(images[:NUM_FRAMES], sounds, pairs, scene.cuts)


def _assigned(tokens: Tensor, words: Words, bags: list[list[say.NumberedBag]]) -> list[Picture]:
    """(M, Q, D) tokens of M pictures, and the bags of their things -> M pictures."""
    wanted = torch.zeros(len(bags), MOST_THINGS, tokens.shape[-1])
    present = torch.zeros(len(bags), MOST_THINGS, dtype=torch.bool)
    for n, own in enumerate(bags):
        for k, (bag, _) in enumerate(own):
            wanted[n, k], present[n, k] = words.mean(bag), True
    chosen = assign(tokens, wanted, present).tolist()
    pictures = []
    for own_tokens, numbered, places in zip(tokens.half(), bags, chosen, strict=True):
        shows = {place: number for place, (_, number) in zip(places, numbered, strict=False)}
        pictures.append([(token, shows.get(place)) for place, token in enumerate(own_tokens)])
    return pictures
