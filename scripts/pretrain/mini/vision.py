"""Trains the mini CLIP, a vision transformer, to say for every patch of a picture what it shows.

For each patch it learns: colour, texture and category of the object; whether it is turned; how much is object, rim,
background or masked out; where the object's centre is; and whether the object is whole. No expression is used.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm
from transformers import CLIPVisionConfig, CLIPVisionModel
from transformers.image_utils import OPENAI_CLIP_MEAN, OPENAI_CLIP_STD

from dataset.media.lengths import NUM_FRAMES
from dataset.media.pixels import PixelTransform
from dataset.world.free_scenes import free_scene
from dataset.world.patch_labels import CUTS, GEOMETRY, GRID, LOOKS, NOTHING, PATCH, SHARES, label_picture
from dataset.world.render import render_pictures
from dataset.world.scenes import FRAME_SIZE
from models.weights.base_folders import save_model
from scripts.pretrain.mini.schedule import train

SEED = 1_000  # of the scenes
NUM_SCENES, FRAMES_PER_SCENE = 3_000, 3
STEPS, BATCH_SIZE, LEARNING_RATE = 6_000, 32, 1.5e-3
WIDTH, LAYERS, HEADS = 96, 3, 4
TRANSFORM = PixelTransform(FRAME_SIZE, tuple(OPENAI_CLIP_MEAN), tuple(OPENAI_CLIP_STD))
# Weights that make the parts of the loss similar in size.
SHARE_WEIGHT, GEOMETRY_WEIGHT, GEOMETRY_BETA = 30, 6, 0.1
CLASS_WEIGHTS = {"turned": torch.tensor([1.0, 5.0])}  # few things are turned


class PatchReader(nn.Module):
    """The encoder and linear heads. The heads are not saved after training."""

    def __init__(self):
        super().__init__()
        sizes = {"hidden_size": WIDTH, "intermediate_size": 4 * WIDTH, "num_hidden_layers": LAYERS}
        self.encoder = CLIPVisionModel(
            CLIPVisionConfig(
                **sizes, num_attention_heads=HEADS, image_size=FRAME_SIZE, patch_size=PATCH, hidden_act="gelu"
            )
        )
        self.norm = nn.LayerNorm(WIDTH)
        self.shares, self.geometry = nn.Linear(WIDTH, len(SHARES)), nn.Linear(WIDTH, len(GEOMETRY))
        self.cut, self.turned = nn.Linear(WIDTH, len(CUTS)), nn.Linear(WIDTH, 2)
        self.looks = nn.ModuleDict({name: nn.Linear(WIDTH, len(names)) for name, names in LOOKS.items()})

    def losses(self, batch: dict) -> dict[str, Tensor]:
        """The loss, and for each property of an object the share of right classes."""
        features = self.norm(self.encoder(batch["pixels"]).last_hidden_state[:, 1:]).unflatten(1, (GRID, GRID))
        loss = SHARE_WEIGHT * F.mse_loss(self.shares(features), batch["shares"])
        seen, looks = features[batch["has_object"]], batch["looks"][batch["has_object"]]
        geometry = F.smooth_l1_loss(self.geometry(seen), batch["geometry"][batch["has_object"]], beta=GEOMETRY_BETA)
        loss = loss + GEOMETRY_WEIGHT * geometry
        told = {}
        answers = [(name, head, looks[:, column]) for column, (name, head) in enumerate(self.looks.items())]
        answers += [(name, getattr(self, name), batch[name][batch["has_object"]]) for name in ("turned", "cut")]
        for name, head, truth in answers:
            scores = head(seen)
            loss = loss + F.cross_entropy(scores, truth, CLASS_WEIGHTS.get(name), ignore_index=NOTHING)
            told[name] = (scores.argmax(-1) == truth)[truth != NOTHING].float().mean()
        return {"loss": loss, **told, "geometry": geometry}


def gather() -> list[tuple]:
    """(frame, owner map, scene, frames after its key frame) of some frames of every scene."""
    gathered = []
    for number in tqdm(range(NUM_SCENES), "drawing scenes", mininterval=5):
        scene = free_scene(SEED, number)
        moments = np.random.default_rng([SEED, number, 1]).choice(NUM_FRAMES, FRAMES_PER_SCENE, replace=False)
        frames, masks = render_pictures(scene, moments.tolist())
        for n, frame in enumerate(frames):
            owner = np.zeros((FRAME_SIZE, FRAME_SIZE), np.uint8)
            for i, visible in enumerate(masks):
                owner[visible[n]] = i + 1
            gathered.append((frame, owner, scene, int(moments[n]) - scene.key_frame))
    return gathered


def make_batch(gathered: list[tuple], step: int) -> dict:
    """A batch of labelled pictures as tensors."""
    rng = np.random.default_rng([SEED, 2, step])
    pictures = [label_picture(rng, *gathered[i]) for i in rng.integers(len(gathered), size=BATCH_SIZE)]
    fields = ("shares", "looks", "turned", "geometry", "cut", "has_object")
    labels = {name: torch.from_numpy(np.stack([getattr(p, name) for p in pictures])) for name in fields}
    return {"pixels": torch.stack([TRANSFORM(p.picture) for p in pictures]), **labels}


def make_vision_encoder(folder: Path, work: Path) -> None:
    """Train the encoder and save it in transformers' format."""
    torch.manual_seed(SEED)
    model = PatchReader()
    finished = (work / "vision.done.pt").is_file()
    batches = partial(make_batch, [] if finished else gather())
    train("vision", model, batches, model.losses, steps=STEPS, learning_rate=LEARNING_RATE, folder=work, seed=SEED)
    save_model(model.encoder.half(), folder)
