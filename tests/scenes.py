"""Small drawn videos in the layout of Ref-AVSBench, for the tests of the benchmark's construction."""

from pathlib import Path

import cv2
import numpy as np

from dataset.construction.referrals import Referral
from dataset.construction.source import SourceVideo, SourceWriter

HEIGHT, WIDTH = 96, 128
COLOURS = ((200, 60, 40), (40, 160, 70), (50, 80, 210))
NAMES = ("dog", "cat", "car")


def disc(x: float, y: float, radius: int) -> np.ndarray:
    """(H, W) bool."""
    return cv2.circle(np.zeros((HEIGHT, WIDTH), np.uint8), (round(x), round(y)), radius, 1, cv2.FILLED) > 0


def moving_discs(vid: str, seed: int, num_objects: int = 3) -> SourceVideo:
    """Ten frames with discs that move sideways, and a tone."""
    rng = np.random.default_rng(seed)
    paths = rng.uniform((20, 20, -3), (WIDTH - 20, HEIGHT - 20, 3), (num_objects, 3))
    objects = {
        fid: [disc(x + dx * t, y, 9 + 4 * fid) for t in range(10)] for fid, (x, y, dx) in enumerate(paths.tolist())
    }
    frames = []
    for t in range(10):
        frame = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
        for fid, masks in objects.items():
            frame[masks[t]] = COLOURS[fid]
        frames.append(frame)
    waveform = 0.3 * np.sin(np.arange(160_000) * (0.1 + 0.02 * seed))
    return SourceVideo(vid, frames, objects, waveform)


def referrals_of(vid: str, split: str, num_objects: int = 3) -> list[Referral]:
    """Two expressions for each object."""
    return [
        Referral(vid, f"{vid}_{NAMES[fid]}_{n}", split, fid, f"{phrase} {NAMES[fid]}")
        for fid in range(num_objects)
        for n, phrase in enumerate(("the", "the sounding"), start=1)
    ]


def write_source(root: Path) -> Path:
    """Six videos, two of each split, and rows that a benchmark cannot use."""
    writer, referrals = SourceWriter(root), []
    for i, split in enumerate(("train", "train", "test_s", "test_s", "test_u", "test_u")):
        vid = f"video{i}_0_10000"
        writer.write_video(moving_discs(vid, i))
        referrals += referrals_of(vid, split)
    writer.write_metadata(referrals)
    with (root / "metadata.csv").open("a") as rows:
        rows.write("video0_0_10000,video0_0_10000_dog_9,val,0,the dog of another split,\n")
        rows.write("video0_0_10000,null_video0_0_10000_null_1,train,0,the piano,\n")
    return root
