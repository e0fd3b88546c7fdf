"""How far the clips of a batch are from those of training, by the features that the auditor is shown anyway."""

from __future__ import annotations

import torch
from torch import Tensor

from dataset.media.lengths import NUM_FRAMES
from models.language.audio_visual import AudioVisualLM
from utils.batches import GroupedBatch, PromptBatch
from utils.certainty.known_clips import KnownClips
from utils.tokens import EVERYBODY, NOBODY

Batch = PromptBatch | GroupedBatch


@torch.inference_mode()
def encoded(model: AudioVisualLM, batch: Batch) -> Batch:
    """The batch with features in place of pixels and filter banks."""
    if batch["encoded"]:
        return batch
    images, sounds = model.encode_images(batch["images"]), model.encode_sounds(batch["sounds"])
    return {**batch, "images": images, "sounds": sounds, "encoded": True}


def clip_distances(known: KnownClips, batch: Batch) -> list[float]:
    """The distance of each item's clip, in order, of an encoded batch whose prompts begin with ten frames."""
    pooled = batch["images"].float().mean(1)  # (U, N, E) -> (U, E)
    frames, clip_of = _frames(batch)
    distances = known.distances(pooled[frames.to(pooled.device)].mean(1).cpu().numpy())
    return [round(float(distances[clip]), 4) for clip in clip_of]


def _frames(batch: Batch) -> tuple[Tensor, list[int]]:
    """Clips (C, 10) as numbers of images, and the clip of each item."""
    if "roots" not in batch:
        rows = batch["image_index"].view(len(batch["input_ids"]), -1)
        return rows[:, :NUM_FRAMES], list(range(len(rows)))
    frames = batch["roots"]["image_index"].view(len(batch["roots"]["owner"]), NUM_FRAMES)
    clip_of = {
        item: clip
        for owners, clip in zip(batch["rows"]["owner"].tolist(), batch["root_index"].tolist(), strict=True)
        for item in set(owners) - {EVERYBODY, NOBODY}
    }
    return frames, [clip_of[item] for item in sorted(clip_of)]
