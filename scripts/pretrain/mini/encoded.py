"""Scenes as the frozen encoders see and hear them: what projectors and the last lessons of the LLM are made from."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from dataset.media.audio import compute_fbank
from dataset.media.images import mask_image
from dataset.media.pixels import PixelTransform
from dataset.world import descriptions as say
from dataset.world.free_scenes import rough_region
from dataset.world.render import render
from models.weights.bundle import AuditorBundle
from scripts.pretrain.mini.language import tell
from scripts.pretrain.mini.told import Told

SEED = 4_000  # of the scenes
NUM_SCENES = 1_500
CUTS_PER_THING = 2
PAIRS = 2  # number of pairs of things that are shown together, in each scene
LEAST_PIXELS = 30  # smaller regions get no lesson
VIEWS = ("mask", "masked_frame")


@dataclass(frozen=True)
class Cut:
    """A region of one or two things, from left to right, and in words whether they are whole."""

    targets: list[int]
    state: str


@dataclass(frozen=True)
class Drawn:
    """A scene as pictures and sound: two views of each cut of the frame that is asked about."""

    told: Told
    frames: Tensor  # (10, 3, S, S)
    regions: Tensor  # (2 * cuts, 3, S, S)
    cuts: list[Cut]
    fbank: Tensor  # (10, frames, 128)


@dataclass(frozen=True)
class Encoded:
    """A scene in features of the encoders, half precision: N patches of width E, n parts of a second of width A."""

    told: Told
    frames: Tensor  # (10, N, E)
    regions: Tensor  # (cuts, 2, N, E)
    cuts: list[Cut]
    seconds: Tensor  # (10, n, A)


def draw(transform: PixelTransform, seed: int, number: int) -> Drawn | None:
    """The scene with this number, and roughly cut regions of all its things. None if a region is too small."""
    torch.set_num_threads(1)
    told, rng = tell(seed, number), np.random.default_rng([seed, number, 1])
    drawn = render(told.scene)
    frame, visible = drawn.frames[told.asked], [masks[told.asked] for masks in drawn.masks]
    if min(own.sum() for own in visible) < LEAST_PIXELS:
        return None
    pictures, cuts = [], []
    for i, own in enumerate(visible):
        for _ in range(CUTS_PER_THING):
            region, state = rough_region(rng, own)
            pictures += [mask_image(frame, region, view) for view in VIEWS]
            cuts.append(Cut([i], say.say_state(state, region, own)))
    for pair in _pairs(rng, told):
        pictures += [mask_image(frame, visible[pair[0]] | visible[pair[1]], view) for view in VIEWS]
        cuts.append(Cut(pair, say.TWO))
    return Drawn(
        told,
        torch.stack([transform(frame) for frame in drawn.frames]),
        torch.stack([transform(picture) for picture in pictures]),
        cuts,
        compute_fbank(drawn.waveform),
    )


def _pairs(rng: np.random.Generator, told: Told) -> list[list[int]]:
    """Some pairs of things, each from left to right."""
    things = told.scene.things
    pairs = [sorted(pair, key=lambda i: things[i].centre(told.on)[0]) for pair in combinations(range(len(things)), 2)]
    return [pairs[i] for i in rng.permutation(len(pairs))[:PAIRS]]


@torch.inference_mode()
def encode_all(bundle: AuditorBundle, count: int, seed: int = SEED) -> list[Encoded]:
    """Pass scenes through the encoders of an auditor. Scenes with regions that are too small are left out."""
    auditor, pixels = bundle.auditor.eval(), bundle.pixels
    transform = PixelTransform(pixels["size"]["height"], tuple(pixels["image_mean"]), tuple(pixels["image_std"]))
    encoded = []
    with ProcessPoolExecutor(1) as pool:
        drawn = pool.map(partial(draw, transform, seed), range(count), chunksize=10)
        for scene in tqdm(drawn, "encoding scenes", count, mininterval=5):
            if scene is not None:
                features = auditor.encode_images(torch.cat([scene.frames, scene.regions])).half()
                frames, regions = features[: len(scene.frames)], features[len(scene.frames) :]
                (sound,) = auditor.encode_sounds([scene.fbank])
                regions = regions.unflatten(0, (-1, len(VIEWS)))
                encoded.append(Encoded(scene.told, frames, regions, scene.cuts, sound.half()))
    return encoded
