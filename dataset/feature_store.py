"""What the frozen encoders make of every image and sound of a dataset, computed once and kept in memory.

Training sees the same frames in every epoch: encoders that do not learn need to look at them only once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import psutil
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

BATCH_SIZE = 64  # keys encoded together
MOST_MEMORY = 0.6  # of what is free now


@dataclass(frozen=True)
class FeatureStore:
    """Keys of images and clips -> features on the CPU: (N, E) of an image, (10, n, E) of a clip."""

    images: dict[object, Tensor]
    clips: dict[object, Tensor]


class _Distinct(Dataset):
    """Each distinct key once, with the tensor that `read` gives for it."""

    def __init__(self, keys: Iterable, read: Callable[[object], Tensor]):
        self.keys, self.read = list(dict.fromkeys(keys)), read

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, index: int) -> tuple[object, Tensor]:
        return self.keys[index], self.read(self.keys[index])


@torch.inference_mode()
def encode_each(
    keys: Iterable, read: Callable[[object], Tensor], encode: Callable[[list[Tensor]], list[Tensor]], *,
    title: str, num_workers: int = 0,
) -> dict[object, Tensor]:  # fmt: skip
    """Each distinct key -> its features on the CPU, with a progress bar.

    `read`: key -> the tensor that the encoder takes; `encode`: several of those -> the features of each. Raises
    ValueError when the features would not fit into memory.
    """
    distinct, found, largest = _Distinct(keys, read), {}, 0
    loader = DataLoader(distinct, batch_size=BATCH_SIZE, num_workers=num_workers, collate_fn=list)
    for batch in tqdm(loader, title, mininterval=5, disable=os.environ.get("RANK", "0") != "0"):
        for (key, _), features in zip(batch, encode([tensor for _, tensor in batch]), strict=True):
            found[key] = features.cpu().clone()
            if features.nbytes > largest:
                largest = features.nbytes
                _check_memory(len(distinct) - len(found), largest)
    return found


def encode_once(dataset, see: Callable, hear: Callable, device: torch.device, num_workers: int) -> FeatureStore:
    """All that `dataset` (an AuditDataset) may show, as an auditor sees and hears it. Raises as `encode_each`."""
    images = encode_each(
        dataset.image_keys(), dataset.read_image, lambda pixels: list(see(torch.stack(pixels).to(device))),
        title="encoding images", num_workers=num_workers,
    )  # fmt: skip
    clips = encode_each(
        dataset.clip_keys(), dataset.read_clip, lambda fbanks: hear([fbank.to(device) for fbank in fbanks]),
        title="encoding sounds", num_workers=num_workers,
    )  # fmt: skip
    return FeatureStore(images, clips)


def _check_memory(count: int, each: int) -> None:
    """Every process of a machine keeps all features."""
    needed = count * each * int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    free = psutil.virtual_memory().available
    if needed > MOST_MEMORY * free:
        sizes = f"{needed / 2**30:.1f} GB for {count} features, got {MOST_MEMORY:.0%} of {free / 2**30:.1f} GB free"
        raise ValueError(f"--cache_features: expected room for {sizes} (leave it out, or use less data)")
