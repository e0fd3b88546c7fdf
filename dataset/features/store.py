"""What the frozen encoders make of every image and sound of a dataset, computed once, in memory or on disk.

Training sees the same frames in every epoch: encoders that do not learn need to look at them only once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from dataset.features.folder import FeatureFolder, KeptFeatures

BATCH_SIZE = 64  # keys encoded together
MOST_MEMORY = 0.6  # of what is free now

Read = Callable[[object], Tensor]
Encode = Callable[[list[Tensor]], list[Tensor]]


@dataclass(frozen=True)
class FeatureStore:
    """Keys of images and sounds -> features on the CPU: (N, E) of an image, (10, n, E) of a sound."""

    images: Mapping[object, Tensor]
    sounds: Mapping[object, Tensor]


class _Keyed(Dataset):
    """Each key with the tensor that `read` gives for it."""

    def __init__(self, keys: list, read: Read):
        self.keys, self.read = keys, read

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, index: int) -> tuple[object, Tensor]:
        return self.keys[index], self.read(self.keys[index])


def encode_each(
    keys: Iterable, read: Read, encode: Encode, *, title: str, num_workers: int = 0
) -> dict[object, Tensor]:
    """Each distinct key -> its features on the CPU, with a progress bar.

    `read`: key -> the tensor that the encoder takes; `encode`: several of those -> the features of each. Raises
    ValueError when the features would not fit into memory.
    """
    distinct, found, largest = list(dict.fromkeys(keys)), {}, 0
    for key, features in _encoded(distinct, read, encode, title, num_workers):
        found[key] = features
        if features.nbytes > largest:
            largest = features.nbytes
            _check_memory(len(distinct) - len(found), largest)
    return found


def keep_each(
    keys: Iterable,
    read: Read,
    encode: Encode,
    *,
    title: str,
    num_workers: int = 0,
    folder: FeatureFolder,
    place: Callable[[object], Path],
) -> KeptFeatures:
    """As `encode_each`, with the features on disk: those that are there already are not computed again.

    `place`: key -> file in `folder`. Of several processes of a machine each computes its share; they have to wait for
    each other before the features are used. Raises ValueError when the features would not fit into the folder.
    """
    paths = {key: place(key) for key in _bar(list(dict.fromkeys(keys)), f"{title}: looking for known ones")}
    rank, processes = int(os.environ.get("LOCAL_RANK", "0")), int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    one_key = {path: key for key, path in paths.items()}  # pictures of equal content are one
    own = list(one_key)[rank::processes]
    missing, largest = [one_key[path] for path in own if not folder.claim(path)], 0
    for written, (key, features) in enumerate(_encoded(missing, read, encode, title, num_workers)):
        if features.nbytes > largest:
            largest = features.nbytes
            folder.make_room((len(missing) - written) * processes * largest)
        folder.write(paths[key], features)
    return KeptFeatures(paths)


@torch.inference_mode()
def _encoded(keys: list, read: Read, encode: Encode, title: str, num_workers: int) -> Iterator[tuple[object, Tensor]]:
    loader = DataLoader(_Keyed(keys, read), batch_size=BATCH_SIZE, num_workers=num_workers, collate_fn=list)
    for batch in _bar(loader, title):
        for (key, _), features in zip(batch, encode([tensor for _, tensor in batch]), strict=True):
            yield key, features.cpu().clone()


def _bar(items: Iterable, title: str) -> Iterable:
    return tqdm(items, title, mininterval=5, disable=os.environ.get("RANK", "0") != "0")


def _check_memory(count: int, each: int) -> None:
    """Every process of a machine keeps all features."""
    needed = count * each * int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    free = psutil.virtual_memory().available
    if needed > MOST_MEMORY * free:
        sizes = f"{needed / 2**30:.1f} GB for {count} features, got {MOST_MEMORY:.0%} of {free / 2**30:.1f} GB free"
        raise ValueError(f"--cache_features: expected room for {sizes} (leave it out, or use less data)")
