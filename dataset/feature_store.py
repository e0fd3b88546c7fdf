"""What the frozen encoders make of every image and sound of a dataset, computed once and kept in memory.

Training sees the same frames in every epoch: encoders that do not learn need to look at them only once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import psutil
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

BATCH_SIZE = 64  # images encoded together
MOST_MEMORY = 0.6  # of what is free now


class FeatureStore:
    """Keys of images and clips -> features on the CPU: (N, E) of an image, (10, n, E) of a clip."""

    def __init__(self, images: dict[object, Tensor], clips: dict[object, Tensor]):
        self.images, self.clips = images, clips


class _Distinct(Dataset):
    """Each distinct key once, with the tensor that `read` gives for it."""

    def __init__(self, keys: Iterable, read: Callable[[object], Tensor]):
        self.keys, self.read = list(dict.fromkeys(keys)), read

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, index: int) -> tuple[int, Tensor]:
        return index, self.read(self.keys[index])


@torch.inference_mode()
def encode_once(dataset, encode_images: Callable, encode_clip: Callable, device, num_workers: int) -> FeatureStore:
    """Encode everything that `dataset` (an AuditDataset) may show, with a progress bar.

    Raises ValueError when the features would not fit into memory.
    """
    images = _Distinct(dataset.image_keys(), dataset.read_image)
    clips = _Distinct(dataset.clip_keys(), dataset.read_clip)
    heard = {}
    for i, fbank in tqdm(DataLoader(clips, batch_size=None, num_workers=num_workers), "encoding sounds", mininterval=5):
        heard[clips.keys[i]] = encode_clip(fbank.to(device)).cpu()
    seen: dict[object, Tensor] = {}
    loader = DataLoader(images, batch_size=BATCH_SIZE, num_workers=num_workers)
    for numbers, pixels in tqdm(loader, "encoding images", mininterval=5):
        features = encode_images(pixels.to(device)).cpu()
        if not seen:
            _check_memory(len(images), features[0])
        seen |= {images.keys[i]: own.clone() for i, own in zip(numbers.tolist(), features, strict=True)}
    return FeatureStore(seen, heard)


def _check_memory(count: int, features: Tensor) -> None:
    needed, free = count * features.nbytes, psutil.virtual_memory().available
    if needed > MOST_MEMORY * free:
        sizes = f"{needed / 2**30:.1f} GB for {count} images, got {free / 2**30:.1f} GB free"
        raise ValueError(f"--cache_features: expected room for {sizes} (leave it out, or use fewer videos)")
