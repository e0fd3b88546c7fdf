"""Batches have the same fields whatever is in them, and hold what is common once."""

from dataclasses import replace

import pytest
import torch
from accelerate.utils import send_to_device
from torch.utils.data import DataLoader

from dataset.batches.collator import AuditCollator
from dataset.batches.grouping import GroupingCollator
from dataset.batches.items import AuditItem
from utils.tokens import EVERYBODY, IGNORE_INDEX, NOBODY

PAD = 99
VIDEO, FRAME, MASK = 1, 2, 3  # token ids


def make_item(sample: int, mask: int, answer: int = 2) -> AuditItem:
    """A prompt of a video, `sample` words, a key frame and a mask, then an answer."""
    prompt = [VIDEO, *[10] * sample, FRAME, MASK]
    images = [("video", torch.zeros(3, 2, 2)), (f"frame {sample}", torch.ones(3, 2, 2))]
    return AuditItem(
        input_ids=torch.tensor(prompt + [20 + mask] * answer),
        labels=torch.tensor([IGNORE_INDEX] * len(prompt) + [20 + mask] * answer),
        weights=torch.ones(len(prompt) + answer),
        iou=torch.tensor(mask / 10),
        images=[*images, (f"mask {sample}.{mask}", torch.full((3, 2, 2), mask))],
        sounds=[("sound", torch.zeros(10, 4, 128))],
        encoded=False,
        sample=sample,
        num_shared=len(prompt) - 1,
        num_mask_images=1,
        num_before_frame=len(prompt) - 2,
        num_video_images=1,
    )


ITEMS = [make_item(1, 0), make_item(2, 1), make_item(1, 2, answer=1)]


def test_each_distinct_image_and_sound_once():
    batch = AuditCollator(PAD)(ITEMS)
    assert batch["image_index"].tolist() == [0, 1, 2, 0, 3, 4, 0, 1, 5]
    assert batch["images"].shape == (6, 3, 2, 2) and len(batch["sounds"]) == 1
    assert batch["sound_index"].tolist() == [0, 0, 0]
    assert batch["input_ids"][2].tolist() == [PAD, PAD, VIDEO, 10, FRAME, MASK, 22]
    assert batch["position_ids"][2].tolist() == [0, 0, 0, 1, 2, 3, 4]
    assert batch["iou"][2, 2:5].isnan().all() and batch["iou"][2, -1] == pytest.approx(0.2)


def test_masks_of_a_sample_behind_one_prompt():
    batch = AuditCollator(PAD, share_prompts=True)(ITEMS)
    assert batch["input_ids"][0].tolist() == [VIDEO, 10, FRAME, MASK, 20, 20, MASK, 22]
    assert batch["owner"].tolist() == [[0, 0, 0, 1, 1, 1, 3, 3], [NOBODY, 0, 0, 0, 0, 2, 2, 2]]
    assert batch["position_ids"][0].tolist() == [0, 1, 2, 3, 4, 5, 3, 4]
    assert batch["image_index"].tolist() == [0, 1, 2, 3, 0, 4, 5]


def test_what_samples_of_a_clip_share_is_a_root():
    batch = GroupingCollator(PAD, masks_per_row=1)(ITEMS)
    assert batch["roots"]["input_ids"].tolist() == [[VIDEO, 10]]
    assert batch["roots"]["owner"].tolist() == [[EVERYBODY, EVERYBODY]]
    assert batch["root_index"].tolist() == [0, 0, 0]
    assert batch["rows"]["input_ids"].tolist() == [
        [PAD, FRAME, MASK, 20, 20],
        [PAD, PAD, FRAME, MASK, 22],
        [10, FRAME, MASK, 21, 21],
    ]
    assert batch["roots"]["image_index"].tolist() == [0]
    assert batch["rows"]["image_index"].tolist() == [1, 2, 1, 3, 4, 5]


@pytest.mark.parametrize("collate", [AuditCollator(PAD), AuditCollator(PAD, True), GroupingCollator(PAD)])
def test_the_same_fields_with_pixels_and_with_features(collate):
    features = [
        replace(
            item,
            images=[(key, torch.zeros(5, 8)) for key, _ in item.images],
            sounds=[(key, torch.zeros(10, 6, 8)) for key, _ in item.sounds],
            encoded=True,
        )
        for item in ITEMS
    ]
    raw, encoded = collate(ITEMS), collate(features)
    assert raw.keys() == encoded.keys() and (raw["encoded"], encoded["encoded"]) == (False, True)
    assert encoded["images"].shape == (6, 5, 8) and encoded["sounds"][0].shape == (10, 6, 8)


def test_batches_come_whole_from_other_processes_and_onto_devices():
    loader = DataLoader(ITEMS, batch_size=3, num_workers=1, collate_fn=AuditCollator(PAD))
    (batch,) = [send_to_device(batch, torch.device("cpu")) for batch in loader]
    expected = AuditCollator(PAD)(ITEMS)
    assert batch.keys() == expected.keys() and batch["encoded"] is False
    assert torch.equal(batch["input_ids"], expected["input_ids"])
    assert torch.equal(batch["sounds"][0], expected["sounds"][0])
