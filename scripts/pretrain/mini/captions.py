"""Draws pictures and sounds with captions, in the formats that the two pretraining scripts read.

Frames, masks and masked frames have Video-LLaVA's format; sounds have that of AudioCaps.
"""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import soundfile
from tqdm import tqdm

from dataset.media.images import mask_image
from dataset.media.lengths import NUM_FRAMES
from dataset.media.waveform import NUM_SEGMENTS, SAMPLE_RATE
from dataset.text.lesson_wording import FRAME_QUESTION, REGION_QUESTION, STATE_QUESTION
from dataset.world import descriptions as say
from dataset.world.free_scenes import free_scene, rough_region
from dataset.world.render import Rendering, render
from dataset.world.scenes import Scene
from utils.whole_files import write_text

SEED = 3_000  # of the scenes
NUM_SCENES, FRAMES_PER_SCENE = 3_000, 2
LIST, AUDIO_LIST = "captions.json", "train.json"
LEAST_PIXELS = 30  # smaller regions get no caption


def draw_captions(folder: Path) -> None:
    """Write `folder`/captions.json with images/, and `folder`/train.json with data/, unless they are complete."""
    if (folder / AUDIO_LIST).is_file():
        return
    for name in ("images", "data"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    visual, audio = [], []
    with ProcessPoolExecutor(2) as pool:
        drawn = pool.map(partial(_draw_scene, folder), range(NUM_SCENES), chunksize=20)
        for pictures, sound in tqdm(drawn, "drawing captions", NUM_SCENES, mininterval=5):
            visual += pictures
            audio.append(sound)
    for name, entries in ((LIST, visual), (AUDIO_LIST, audio)):
        write_text(folder / name, json.dumps(entries))


def _draw_scene(folder: Path, number: int) -> tuple[list[dict], dict]:
    scene, rng = free_scene(SEED, number), np.random.default_rng([SEED, number, 1])
    moments = sorted(rng.choice(NUM_FRAMES, FRAMES_PER_SCENE, replace=False).tolist())
    drawn = render(scene, moments)
    pictures = [_caption_frame(folder, number, scene, drawn, i, t) for i, t in enumerate(moments)]
    targets = [[i] for i in range(len(scene.things))] + [rng.permutation(len(scene.things))[:2].tolist()]
    for n, chosen in enumerate(targets):
        at = int(rng.integers(len(moments)))
        chosen.sort(key=lambda i: scene.things[i].centre(moments[at] - scene.key_frame)[0])
        pictures += _caption_region(rng, folder, f"{number:05d}_r{n}", scene, drawn, at, chosen)
    return pictures, _caption_sound(rng, folder, number, scene, drawn)


def _caption_frame(folder: Path, number: int, scene: Scene, drawn: Rendering, at: int, t: int) -> dict:
    name = _write(folder, f"{number:05d}_f{t}.jpg", drawn.frames[at])
    return _entry(name, FRAME_QUESTION, say.say_frame(scene, t - scene.key_frame))


def _caption_region(
    rng: np.random.Generator, folder: Path, name: str, scene: Scene, drawn: Rendering, at: int, chosen: list[int]
) -> list[dict]:
    """Captions of one region: its mask and its masked frame.

    A region of one object is cut roughly. One of two objects is left as it is.
    """
    own = [drawn.masks[i][at] for i in chosen]
    if min(mask.sum() for mask in own) < LEAST_PIXELS:
        return []
    region, state = rough_region(rng, own[0]) if len(chosen) == 1 else (own[0] | own[1], None)
    if region.sum() < LEAST_PIXELS:
        return []
    said = say.TWO
    if len(own) == 1:
        said = say.say_state(state, region, own[0])
    places = [say.region_place(region)] if len(own) == 1 else [say.region_place(mask) for mask in own]
    looks_in = {"mask": ["white"] * len(own), "masked_frame": [say.say_look(scene.things[i]) for i in chosen]}
    entries = []
    for view, looks in looks_in.items():
        shown = (say.say_placed(look, place) for look, place in zip(looks, places, strict=True))
        file = _write(folder, f"{name}_{view}.png", mask_image(drawn.frames[at], region, view))
        entries.append(_entry(file, REGION_QUESTION, " and ".join(shown)))
        entries.append(_entry(file, STATE_QUESTION, said))
    return entries


def _caption_sound(rng: np.random.Generator, folder: Path, number: int, scene: Scene, drawn: Rendering) -> dict:
    first = int(rng.integers(NUM_SEGMENTS - 1))
    last = int(rng.integers(first + 1, NUM_SEGMENTS + 1))
    stretch = drawn.waveform[first * SAMPLE_RATE : last * SAMPLE_RATE]
    soundfile.write(folder / "data" / f"{number}.wav", stretch, SAMPLE_RATE, subtype="PCM_16")
    return {"audiocap_id": number, "start_time": first, "caption": say.say_sounds(scene, first, last)}


def _write(folder: Path, name: str, picture: np.ndarray) -> str:
    quality = [cv2.IMWRITE_JPEG_QUALITY, 95] if name.endswith(".jpg") else [cv2.IMWRITE_PNG_COMPRESSION, 1]
    cv2.imwrite(str(folder / "images" / name), picture if picture.ndim == 2 else picture[..., ::-1], quality)
    return f"images/{name}"


def _entry(name: str, question: str, answer: str) -> dict:
    return {"image": name, "conversations": [{"value": f"<image>\n{question}"}, {"value": answer}]}
