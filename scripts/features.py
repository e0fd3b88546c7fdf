"""Run an auditor's frozen encoders once on all media, before training or before a run of audits."""

from __future__ import annotations

from functools import partial

import torch

from configs.data import FeatureArguments
from dataset.batches.audit_dataset import AuditDataset
from dataset.features.folder import FeatureFolder
from dataset.features.names import image_encoder_name, sound_encoder_name
from dataset.features.store import FeatureStore, encode_each, keep_each
from models.auditor.auditor import Auditor


def remember_features(
    auditor: Auditor, datasets: list[AuditDataset], pixels: dict, args: FeatureArguments, device: torch.device,
    num_workers: int,
) -> None:  # fmt: skip
    """Compute all features; afterwards the datasets give features, from memory or from `args.feature_cache_dir`.

    `pixels`: the settings that turn pictures into what the vision encoder takes. Raises ValueError where the features
    do not fit.
    """
    for encoder in (auditor.vision_encoder, auditor.audio_encoder):
        encoder.to(device)
    each_image = each_sound = encode_each
    if args.feature_cache_dir:
        folder = FeatureFolder(args.feature_cache_dir, args.feature_cache_gb)
        image_places = folder.places(
            image_encoder_name(auditor.vision_encoder, pixels, device), AuditDataset.image_sources
        )
        sound_places = folder.places(sound_encoder_name(auditor.audio_encoder, device), AuditDataset.sound_sources)
        each_image = partial(keep_each, folder=folder, place=image_places)
        each_sound = partial(keep_each, folder=folder, place=sound_places)
    for dataset in datasets:
        images = each_image(
            dataset.image_keys(), dataset.read_image,
            lambda pictures: list(auditor.encode_images(torch.stack(pictures).to(device))),
            title="encoding images", num_workers=num_workers,
        )  # fmt: skip
        sounds = each_sound(
            dataset.sound_keys(), dataset.read_sound,
            lambda fbanks: auditor.encode_sounds([fbank.to(device) for fbank in fbanks]),
            title="encoding sounds", num_workers=num_workers,
        )  # fmt: skip
        dataset.features = FeatureStore(images, sounds)
    if torch.distributed.is_initialized():
        torch.distributed.barrier()  # wait until every process has written its share
    torch.cuda.empty_cache()
