"""Trains the mini BEATs to say for every second which textures are heard, how high and how loud."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dataset.media.audio import compute_fbank
from dataset.media.waveform import NUM_SEGMENTS
from dataset.world.sounds import FACETS, LOUDNESS, PITCHES, TIMBRES, draw_sounds, waveform
from models.encoders.beats import Beats, BeatsConfig, write_beats
from scripts.pretrain.mini.schedule import train
from utils.whole_files import whole_file

SEED = 4_000  # of the sounds
STEPS, BATCH_SIZE, LEARNING_RATE = 700, 16, 2e-3
WIDTH = 96
CONFIG = BeatsConfig(
    input_patch_size=16,
    embed_dim=64,
    encoder_layers=2,
    encoder_embed_dim=WIDTH,
    encoder_ffn_embed_dim=256,
    encoder_attention_heads=4,
    conv_pos=16,
    conv_pos_groups=4,
    num_buckets=32,
    max_distance=64,
)
MATERIALS = tuple(TIMBRES)
STATES = 1 + len(PITCHES) * len(LOUDNESS)  # classes for each texture and second: silent, or a pitch and a loudness


class Listener(nn.Module):
    """The encoder and a linear head. The head is not saved after training."""

    def __init__(self):
        super().__init__()
        self.encoder = Beats(CONFIG)
        self.head = nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, len(MATERIALS) * STATES))

    def losses(self, batch: dict) -> dict[str, Tensor]:
        """The loss, and the share of right classes where a texture is heard."""
        scores = self.head(self.encoder(batch["fbank"]).mean(1)).unflatten(1, (len(MATERIALS), STATES))
        truth = batch["states"]
        right = (scores.argmax(-1) == truth).float()
        return {"loss": F.cross_entropy(scores.flatten(0, 1), truth.flatten()), "heard": right[truth > 0].mean()}


def make_batch(step: int) -> dict:
    """16 clips of ten seconds: filter banks (160, 98, 128) and the class of each texture (160, 6), by second."""
    clips = [_clip(step * BATCH_SIZE + i) for i in range(BATCH_SIZE)]
    return {"fbank": torch.cat([fbank for fbank, _ in clips]), "states": torch.cat([states for _, states in clips])}


def _clip(number: int) -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng([SEED, number])
    count = int(rng.integers(1, 5))
    facet = [None, *FACETS][rng.integers(len(FACETS) + 1)] if count > 1 else None
    materials = [str(name) for name in rng.permutation(MATERIALS)[:count]]
    heard = [pair for pair in zip(materials, draw_sounds(rng, count, facet), strict=True) if pair[1]]
    states = torch.zeros((NUM_SEGMENTS, len(MATERIALS)), dtype=torch.long)
    for name, sound in heard:
        state = 1 + list(PITCHES).index(sound.pitch) * len(LOUDNESS) + list(LOUDNESS).index(sound.loudness)
        states[sound.onset : sound.offset, MATERIALS.index(name)] = state
    return compute_fbank(waveform(heard, rng).astype(np.float32)), states


def make_audio_encoder(path: Path, work: Path) -> None:
    """Train the encoder and save it with the key names of the official BEATs file."""
    torch.manual_seed(SEED)
    model = Listener()
    train("audio", model, make_batch, model.losses, steps=STEPS, learning_rate=LEARNING_RATE, folder=work, seed=SEED)
    with whole_file(path) as temporary:
        write_beats(model.encoder.half(), temporary)
