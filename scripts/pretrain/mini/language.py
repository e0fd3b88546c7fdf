"""Trains the mini LLM on described scenes (see `lessons`), in stages: each begins where the one before has ended."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from dataset.media.lengths import NUM_FRAMES
from dataset.world.free_scenes import all_references, free_scene
from models.auditor.build import load_tokenizer
from models.weights.base_folders import save_model
from scripts.pretrain.mini.pupil import Pupil
from scripts.pretrain.mini.schedule import train
from scripts.pretrain.mini.teacher import Stage, Teacher
from scripts.pretrain.mini.told import Described, Told
from utils.tokens import DIRECT_NTP

SEED = 2_000  # of the scenes
NUM_SCENES = 12_000
ANY_FRAME = 0.5  # share of scenes whose lessons ask about any frame
VISUAL = dict.fromkeys(("appearance", "position", "size"), 1.0)
KINDS = {"appearance": 0.15, "position": 0.15, "size": 0.1, "motion": 0.3, "sound": 0.3}
STAGES = (
    Stage(
        name="seen",  # which object of a picture is meant, and whether a region is that one
        steps=700,
        scenes=128,
        lessons=1,
        kinds=VISUAL,
        tasks={"match": 0.5, "trait": 0.14, "find": 0.12, "region": 0.08, "state": 0.06, "frame": 0.1},
        prefix=False,
        new_words=True,
    ),
    Stage(
        name="known",  # how things move, and who is heard
        steps=700,
        scenes=24,
        lessons=2,
        kinds=KINDS,
        tasks={"trait": 0.6, "match": 0.2, "hear": 0.1, "frame": 0.1},
        new_words=True,
    ),
    Stage(
        name="judged",  # all together
        steps=450,
        scenes=12,
        lessons=8,
        kinds=KINDS,
        tasks={"judge": 0.45, "match": 0.2, "trait": 0.2, "find": 0.05, "hear": 0.05, "repeat": 0.05},
        left_out=0.08,
    ),
)


def tell(seed: int, number: int) -> Told:
    """A scene and its references. Half of the lessons' frames are any frame; the others are key frames."""
    scene = free_scene(seed, number)
    references = all_references(scene)
    rng = np.random.default_rng([seed, number, 2])
    asked = int(rng.integers(NUM_FRAMES)) if rng.random() < ANY_FRAME else scene.key_frame
    return Told(scene, references, asked, Described(scene, asked))


def tell_all(seed: int, count: int) -> list[Told]:
    """The first `count` scenes of a seed, drawn in two processes."""
    with ProcessPoolExecutor(2) as pool:
        numbers = pool.map(partial(tell, seed), range(count), chunksize=50)
        return list(tqdm(numbers, "drawing scenes", count, mininterval=5))


def learn(stage: Stage, model: Pupil, teacher: Teacher, work: Path, seed: int) -> None:
    """Train the LLM in one stage, in place."""
    model.llama.model.embed_tokens.requires_grad_(stage.new_words)
    train(
        f"language_{stage.name}",
        model,
        partial(teacher.batch, stage),
        model.losses,
        steps=stage.steps,
        learning_rate=stage.learning_rate,
        folder=work,
        seed=seed,
    )


def make_language_model(folder: Path, work: Path) -> None:
    """Train all stages and save the LLM in transformers' format. Its tokenizer must already be in `folder`."""
    tokenizer = load_tokenizer(folder, DIRECT_NTP)
    torch.manual_seed(SEED)
    model = Pupil(tokenizer)
    finished = all((work / f"language_{stage.name}.done.pt").is_file() for stage in STAGES)
    teacher = Teacher(tokenizer, [] if finished else tell_all(SEED, NUM_SCENES))
    for number, stage in enumerate(STAGES):
        learn(stage, model, teacher, work, SEED + number)
    save_model(model.llama.half(), folder)
