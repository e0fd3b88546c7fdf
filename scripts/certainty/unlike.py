"""The work of scripts.evaluate.tell_unlike."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from configs.calibration import UnlikeArguments
from configs.model import ModelArguments
from dataset.batches.audit_dataset import frame_reader
from dataset.media.clip import extract_clip
from dataset.media.decoded import FrameReader
from dataset.media.frame_folder import find_frames
from dataset.media.video import VIDEO_SUFFIXES
from models.auditor.auditor import Auditor
from models.weights.bundle import AuditorBundle
from scripts.program import resolve_runtime
from utils.certainty.known_clips import KnownClips, is_unlike
from utils.whole_files import write_json

PICTURES = (".jpg", ".jpeg")


def tell_unlike(model_args: ModelArguments, args: UnlikeArguments) -> None:
    """Measure the distances of both kinds of clips, print how well they part, and how many are flagged."""
    clips = {name: find_clips(getattr(args, name), f"--{name}") for name in ("like", "unlike")}
    device, dtype = resolve_runtime(args)
    bundle = AuditorBundle.from_pretrained(args.auditor, model_args, dtype)
    known = bundle.about.known_clips
    if known is None:
        raise ValueError(f"{args.auditor}: expected known_clips.safetensors, which fine-tuning writes, got none")
    encoder = bundle.auditor.to(device), frame_reader(bundle.pixels)
    found = {name: distances(known, own, *encoder, title=name) for name, own in clips.items()}
    part = auroc(found["unlike"], found["like"])
    for name, own in found.items():
        flagged = sum(map(is_unlike, own))
        middle, largest = np.median(own), max(own)
        print(f"{name}: {len(own)} clips, distance {middle:.2f} (median), {largest:.2f} (largest); {flagged} flagged")
    print(f"AUROC {part:.4f}; known from {known.clips} training clips")
    if args.output:
        listed = {name: dict(zip(map(str, clips[name]), own, strict=True)) for name, own in found.items()}
        write_json(args.output, {"auroc": part, "training_clips": known.clips, **listed})


def find_clips(places: Sequence[str], flag: str) -> list[Path]:
    """Folders of frames, videos and pictures, in order. Raises FileNotFoundError where there are none."""
    clips = [clip for place in places for clip in _clips_in(Path(place))]
    if not clips:
        raise FileNotFoundError(f"{flag} {places[0]}: expected folders with frames/, videos or JPEG pictures, got none")
    return clips


def _clips_in(place: Path) -> Iterator[Path]:
    if (place / "frames").is_dir():
        yield place
    elif place.is_dir():
        for inner in sorted(place.iterdir()):
            yield from _clips_in(inner)
    elif place.suffix.lower() in (*VIDEO_SUFFIXES, *PICTURES) and place.is_file():
        yield place


def distances(
    known: KnownClips, clips: Sequence[Path], auditor: Auditor, reader: FrameReader, title: str
) -> list[float]:
    """The distance of each clip."""
    features = [_features(clip, auditor, reader) for clip in tqdm(clips, title, unit="clip")]
    return known.distances(np.stack(features)).tolist()


@torch.inference_mode()
def _features(clip: Path, auditor: Auditor, reader: FrameReader) -> np.ndarray:
    """(E,), as in an audit: the mean of the ten frames; a picture stands for all ten."""
    with tempfile.TemporaryDirectory() as folder:
        if clip.is_dir():
            frames = find_frames(clip / "frames")
        elif clip.suffix.lower() in VIDEO_SUFFIXES:
            frames, _ = extract_clip(clip, folder)
        else:
            frames = [clip]
        pixels = torch.stack([reader.pixels(frame) for frame in frames])
    return auditor.encode_images(pixels.to(auditor.device)).float().mean((0, 1)).cpu().numpy()


def auroc(high: Sequence[float], low: Sequence[float]) -> float:
    """The probability that one of `high` is above one of `low`; equal ones count half."""
    high, low = np.asarray(high)[:, None], np.asarray(low)[None]
    return float((high > low).mean() + (high == low).mean() / 2)
