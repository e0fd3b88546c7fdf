"""The work of scripts.pretrain.mini.grounding: trains the mini LLM on scenes that pass encoders and projectors."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from configs.mini import PartsArguments
from configs.model import ModelArguments
from dataset.media.audio import compute_fbank
from dataset.media.images import mask_image
from dataset.media.lengths import NUM_FRAMES
from dataset.media.pixels import PixelTransform
from dataset.world import descriptions as say
from dataset.world.free_scenes import free_scene, rough_region
from dataset.world.render import render
from dataset.world.scenes import Scene
from models.auditor.auditor import Auditor
from models.auditor.build import PUBLISHED_NAMES, load_tokenizer
from models.weights.base_folders import save_model
from models.weights.bundle import AuditorBundle
from scripts.pretrain.mini.all_parts import THREADS
from scripts.pretrain.mini.language import STAGES, Pupil, Stage, Teacher, tell
from scripts.pretrain.mini.schedule import train
from scripts.pretrain.mini.told import NUM_SLOTS, Told, audio_prefix, video_prefix
from utils.tokens import DIRECT_NTP

SEED = 4_000  # of the scenes
NUM_SCENES = 2_000
CUTS_PER_THING = 2
PAIRS = 2  # number of pairs of things that are shown together, in each scene
LEAST_PIXELS = 30  # smaller regions get no lesson
VIEWS = ("mask", "masked_frame")
STAGE = Stage(
    name="grounded",
    steps=750,
    scenes=12,
    lessons=8,
    heads=(video_prefix, audio_prefix),
    kinds={"appearance": 0.2, "position": 0.2, "size": 0.15, "sound": 0.3, "motion": 0.15},
    tasks={"judge": 0.86, "find": 0.06, "hear": 0.04, "repeat": 0.04},
)


@dataclass(frozen=True)
class Drawn:
    """A scene as pictures and sound: `cuts` are regions with their targets and states."""

    frames: Tensor  # (10, 3, S, S)
    regions: Tensor  # (regions x 2 views, 3, S, S)
    cuts: list[tuple[list[int], str]]
    fbank: Tensor  # (10, frames, 128)


@dataclass(frozen=True)
class Seen:
    """A scene in tokens of the projectors: `video`, `audio` (10, Q, D), `regions` (regions, 2 views, Q, D)."""

    video: Tensor
    audio: Tensor
    regions: Tensor
    cuts: list[tuple[list[int], str]]

    def frames(self, rng: np.random.Generator, times: range) -> Tensor:
        return self.video[times.start : times.stop].flatten(0, 1)

    def seconds(self, rng: np.random.Generator, first: int, last: int) -> Tensor:
        return self.audio[first:last].flatten(0, 1)

    def region(self, rng: np.random.Generator, targets: list[int]) -> tuple[Tensor, Tensor, str]:
        fitting = [i for i, (own, _) in enumerate(self.cuts) if set(own) == set(targets)]
        chosen = fitting[rng.integers(len(fitting))]
        return *self.regions[chosen], self.cuts[chosen][1]

    def two(self, rng: np.random.Generator) -> list[int]:
        pairs = [own for own, _ in self.cuts if len(own) == 2]
        return list(pairs[rng.integers(len(pairs))])

    def moving(self) -> list[int]:
        return sorted({i for own, _ in self.cuts for i in own})


def draw(transform: PixelTransform, seed: int, number: int) -> Drawn | None:
    """The scene with this number, and roughly cut regions of all its things. None if a region is too small."""
    torch.set_num_threads(1)
    scene, rng = free_scene(seed, number), np.random.default_rng([seed, number, 1])
    drawn = render(scene)
    key = scene.key_frame
    pictures, cuts = [], []
    for i, masks in enumerate(drawn.masks):
        own = masks[key]
        if own.sum() < LEAST_PIXELS:
            return None
        for _ in range(CUTS_PER_THING):
            region, state = rough_region(rng, own)
            pictures += [mask_image(drawn.frames[key], region, view) for view in VIEWS]
            cuts.append(([i], say.say_state(state, region, own)))
    for pair in _pairs(rng, scene):
        both = drawn.masks[pair[0]][key] | drawn.masks[pair[1]][key]
        pictures += [mask_image(drawn.frames[key], both, view) for view in VIEWS]
        cuts.append((pair, say.TWO))
    return Drawn(
        torch.stack([transform(frame) for frame in drawn.frames]),
        torch.stack([transform(p) for p in pictures]),
        cuts,
        compute_fbank(drawn.waveform),
    )


def _pairs(rng: np.random.Generator, scene: Scene) -> list[list[int]]:
    """Some pairs of things, each from left to right."""
    pairs = [
        sorted(pair, key=lambda i: scene.things[i].centre(0)[0]) for pair in combinations(range(len(scene.things)), 2)
    ]
    return [pairs[i] for i in rng.permutation(len(pairs))[:PAIRS]]


@torch.inference_mode()
def look(auditor: Auditor, drawn: Drawn) -> Seen:
    """The outputs of an auditor's encoders and projectors for a scene."""
    tokens = auditor.project_images(auditor.encode_images(torch.cat([drawn.frames, drawn.regions])))
    audio = auditor.project_sounds(auditor.encode_sounds([drawn.fbank]))[0].unflatten(0, (NUM_FRAMES, -1))
    regions = tokens[NUM_FRAMES:].unflatten(0, (-1, len(VIEWS)))
    return Seen(tokens[:NUM_FRAMES].half(), audio.half(), regions.half(), drawn.cuts)


def look_at_all(args: ModelArguments, count: int, seed: int = SEED) -> Iterator[Told]:
    """Pass the scenes through the encoders and projectors that `args` name."""
    bundle = AuditorBundle.from_parts(args)
    bundle.load_projectors(args)
    auditor, pixels = bundle.auditor.eval(), bundle.pixels
    transform = PixelTransform(pixels["size"]["height"], tuple(pixels["image_mean"]), tuple(pixels["image_std"]))
    with ProcessPoolExecutor(1) as pool:
        drawn = pool.map(partial(draw, transform, seed), range(count), chunksize=10)
        for number, shown in enumerate(tqdm(drawn, "looking at scenes", count, mininterval=5)):
            if shown is not None:
                told = tell(seed, number)
                yield Told(told.scene, told.references, look(auditor, shown))


def ground(args: PartsArguments) -> None:
    """Train the LLM further and save it. Finished steps are not repeated."""
    torch.set_num_threads(1)  # one core draws scenes, the other one encodes them
    weights, work = Path(args.weights), Path(args.work)
    llama = weights / PUBLISHED_NAMES["llama_path"]
    model = Pupil(load_tokenizer(llama, DIRECT_NTP))
    model.load_state_dict(torch.load(work / f"language_{STAGES[-1].name}.done.pt", weights_only=True))
    parts = ModelArguments(pretrained_weights_dir=str(weights), num_query_tokens=NUM_SLOTS, vision_feature_layer=-1)
    finished = (work / f"language_{STAGE.name}.done.pt").is_file()
    teacher = Teacher(load_tokenizer(llama, DIRECT_NTP), [] if finished else list(look_at_all(parts, NUM_SCENES)))
    torch.set_num_threads(THREADS)
    train(
        f"language_{STAGE.name}",
        model,
        partial(teacher.batch, STAGE),
        model.losses,
        steps=STAGE.steps,
        learning_rate=STAGE.learning_rate,
        folder=work,
        seed=SEED,
    )
    save_model(model.llama.half(), llama)
