"""The work of scripts.pretrain.mini.segmenter: drawn scenes, what their patches show, a CLIPSeg that is solved."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm
from transformers import CLIPVisionModel

from configs.mini import PartsArguments
from dataset.media.lengths import NUM_FRAMES
from dataset.world.free_scenes import free_scene
from dataset.world.patch_labels import GRID, PATCH
from dataset.world.render import render_pictures
from dataset.world.scenes import FRAME_SIZE, Scene
from models.auditor.build import PUBLISHED_NAMES
from models.segmenting.pictures import CLIP, make_pixel_values
from models.weights.base_folders import save_model
from scripts.pretrain.mini.naming import ATTRIBUTES, make_tokenizer
from scripts.pretrain.mini.solved_clipseg import NUM_OUTLINES, Solved, put_together
from scripts.pretrain.mini.solving import Linear, solve_least_squares, solve_logistic

FOLDER = "clipseg"
SEED = 5_000  # of the scenes
NUM_SCENES, FRAMES_PER_SCENE = 400, 2
LEAST_COVERED = 0.1  # of a patch, for it to show a thing
SIDE = (FRAME_SIZE, FRAME_SIZE)
THREADS, TOGETHER = 2, 16


@dataclass(frozen=True)
class Still:
    """One frame (224, 224, 3) uint8, which thing owns each pixel (0: none, i + 1: thing i), and its scene."""

    frame: np.ndarray
    owner: np.ndarray
    scene: Scene


def make_segmenter(args: PartsArguments) -> None:
    """Solve it and save it, in half precision, with its tokenizer."""
    torch.set_num_threads(THREADS)
    torch.manual_seed(SEED)
    weights = Path(args.weights)
    eyes = CLIPVisionModel.from_pretrained(
        weights / PUBLISHED_NAMES["clip_path"], dtype=torch.float32, local_files_only=True
    )
    model = put_together(eyes, solve(eyes, draw_stills()))
    make_tokenizer(weights / FOLDER)
    save_model(model.half(), weights / FOLDER)


def solve(eyes: CLIPVisionModel, stills: list[Still]) -> Solved:
    """What patches tell of looks and of outlines, by logistic models and least squares over all of them."""
    layers = look(eyes, stills)  # of each layer, the last one first: (patches of all stills, width)
    shown, has_thing, inside = (torch.from_numpy(np.concatenate(own)) for own in zip(*map(label, stills), strict=True))
    attributes = solve_logistic(layers[0][has_thing], shown[has_thing])
    whole, pixels = solve_least_squares(torch.cat(layers, 1), 2 * inside.double() - 1, NUM_OUTLINES)
    parts = whole.weight.split([layer.shape[1] for layer in layers], 1)
    zero = torch.zeros_like(whole.bias)
    outlines = [Linear(part, zero if number else whole.bias) for number, part in enumerate(parts)]
    return Solved(attributes, outlines, pixels)


@torch.no_grad()
def look(eyes: CLIPVisionModel, stills: list[Still]) -> list[Tensor]:
    """The layers' outputs for all patches, one row each; the last layer first."""
    seen = []
    for begin in range(0, len(stills), TOGETHER):
        pixels = [make_pixel_values(still.frame, SIDE, CLIP) for still in stills[begin : begin + TOGETHER]]
        hidden = eyes(torch.cat(pixels), output_hidden_states=True).hidden_states
        seen.append([layer[:, 1:].flatten(0, 1) for layer in hidden[:0:-1]])
    return [torch.cat(own) for own in zip(*seen, strict=True)]


def label(still: Still) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of the 196 patches: attributes of the thing that each shows most of (196, attributes) bool; whether it shows
    one (196,) bool; which pixels belong to any thing (196, 256) bool.
    """
    looks = [thing.look for thing in still.scene.things]
    told = np.array([[name in (own.colour, own.texture, own.category) for name in ATTRIBUTES] for own in looks])
    patches = still.owner.reshape(GRID, PATCH, GRID, PATCH).transpose(0, 2, 1, 3).reshape(GRID * GRID, -1)
    covered = np.stack([(patches == number + 1).mean(1) for number in range(len(looks))])
    has_thing = covered.max(0) > LEAST_COVERED
    return told[covered.argmax(0)] & has_thing[:, None], has_thing, patches > 0


def draw_stills() -> list[Still]:
    """Some frames of every scene."""
    with ProcessPoolExecutor(THREADS) as pool:
        drawn = pool.map(draw_scene, range(NUM_SCENES), chunksize=20)
        return [still for stills in tqdm(drawn, "drawing scenes", NUM_SCENES, mininterval=5) for still in stills]


def draw_scene(number: int) -> list[Still]:
    scene = free_scene(SEED, number)
    moments = np.random.default_rng([SEED, number, 1]).choice(NUM_FRAMES, FRAMES_PER_SCENE, replace=False).tolist()
    frames, masks = render_pictures(scene, moments)
    stills = []
    for at, frame in enumerate(frames):
        owner = np.zeros(SIDE, np.uint8)
        for i, own in enumerate(masks):
            owner[own[at]] = i + 1
        stills.append(Still(frame, owner, scene))
    return stills
