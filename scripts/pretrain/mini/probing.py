"""The work of scripts.pretrain.mini.probe."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from transformers import LlamaForCausalLM

from configs.mini import ProbeArguments
from configs.model import ModelArguments
from dataset.media.lengths import NUM_FRAMES
from dataset.world.looks import TEXTURES
from dataset.world.reference import KINDS
from models.auditor.build import PUBLISHED_NAMES, load_tokenizer
from scripts.pretrain.mini.grounded import look_at_all
from scripts.pretrain.mini.language import Pupil, Stage, Teacher, tell_all
from scripts.pretrain.mini.told import NUM_SLOTS, Told, audio_prefix, video_prefix
from utils.tokens import DIRECT_NTP

COMPARISONS = ("match", "judge", "compare")  # lessons whose answer begins with yes or no
SHORT = ("where", "moves", "region_moves", "speed", "region_speed", "sounds", "region_sounds")
BATCHES, LESSONS = 5, 8  # batches of each kind of lesson, lessons about each scene
RIDGE = 10.0


def probe(args: ProbeArguments) -> None:
    """Print what the LLM answers on scenes in words, then on scenes seen and heard, then the projectors' probes."""
    llama = Path(args.weights) / PUBLISHED_NAMES["llama_path"]
    tokenizer = load_tokenizer(llama, DIRECT_NTP)
    model = Pupil(tokenizer).eval()
    model.llama.load_state_dict(LlamaForCausalLM.from_pretrained(llama, dtype=torch.float32).state_dict())
    print_lessons("scenes in words", model, Teacher(tokenizer, tell_all(args.seed, args.num_scenes)))
    if not args.num_seen:
        return
    parts = ModelArguments(pretrained_weights_dir=args.weights, num_query_tokens=NUM_SLOTS, vision_feature_layer=-1)
    seen = list(look_at_all(parts, args.num_seen, args.seed))
    print_lessons("scenes seen and heard", model, Teacher(tokenizer, seen[: args.num_scenes]))
    print_projectors(seen)


def print_lessons(name: str, model: Pupil, teacher: Teacher) -> None:
    """Shares of right first words: of "yes" and "no" for comparisons, of all first words for short answers."""
    rows = []
    for task in COMPARISONS:
        for kind in KINDS:
            hits = first_words(model, teacher, task, kind)
            rows.append([task, kind, *(f"{np.mean(hits[word]):.2f}" for word in ("yes", "no"))])
    for task in SHORT:
        own = [hit for hits in first_words(model, teacher, task).values() for hit in hits]
        rows.append([task, "", f"{np.mean(own):.2f}", ""])
    _print(name, ["lesson", "kind", "right", "right if no"], rows)


@torch.inference_mode()
def first_words(
    model: Pupil, teacher: Teacher, task: str, kind: str | None = None, batches: int = BATCHES
) -> dict[str, list[bool]]:
    """For each first word of a right answer: whether the model's most likely word was that one."""
    scenes = min(14, len(teacher.scenes))
    heads = (video_prefix, audio_prefix)
    stage = Stage("probe", batches, scenes, LESSONS, heads, {kind or "appearance": 1.0}, {task: 1.0})
    hits = defaultdict(list)
    for step in range(batches):
        batch = teacher.batch(stage, step)
        hidden = model.hidden(batch)
        for row, at, name in batch["decides"]:
            if name == (kind or task):
                right = int(batch["label"][row, at])
                said = int(model.llama.lm_head(hidden[row, at - 1]).argmax())
                hits[teacher.tokenizer.decode([right]).strip()].append(said == right)
    return hits


def print_projectors(seen: Sequence[Told]) -> None:
    """How well a linear map reads quantities of one thing, named by its texture, from a projector's tokens."""
    rows = []
    for name, unit, of_thing in (
        ("x", "pixels", lambda thing, on: thing.centre(on)[0]),
        ("y", "pixels", lambda thing, on: thing.centre(on)[1]),
        ("size", "log area", lambda thing, on: np.log(thing.area(on))),
    ):
        rows.append(["image", name, *_read_from_frames(seen, of_thing), unit])
    for name, of_sound in (
        ("sounds", lambda sound, t: sound is not None and sound.onset <= t < sound.offset),
        ("high", lambda sound, t: _while_heard(sound, t, sound and sound.pitch == "high")),
        ("loud", lambda sound, t: _while_heard(sound, t, sound and sound.loudness == "loud")),
    ):
        rows.append(["second of sound", name, *_read_from_seconds(seen, of_sound), "right"])
    _print("linear probes of the projectors", ["token of", "quantity", "of variance", "value", "unit"], rows)


def _print(name: str, columns: list[str], rows: list[list[str]]) -> None:
    print(f"\n{name}\n{pd.DataFrame(rows, columns=columns).to_string(index=False)}", flush=True)


def _while_heard(sound, t: int, value: bool | None) -> bool | None:
    return value if sound is not None and sound.onset <= t < sound.offset else None


def _read_from_frames(seen: Sequence[Told], of_thing) -> tuple[str, str]:
    """Share of the variance that is explained on held-out scenes, and the mean absolute error."""
    explained, errors = [], []
    for texture in TEXTURES:
        inputs, values, owners = [], [], []
        for number, told in enumerate(seen):
            thing = next((thing for thing in told.scene.things if thing.look.texture == texture), None)
            for t in range(0, NUM_FRAMES, 3) if thing else ():
                inputs.append(told.view.video[t].flatten())
                values.append(of_thing(thing, t - told.scene.key_frame))
                owners.append(number)
        truth, guess = predict(inputs, values, owners)
        explained.append(1 - np.square(truth - guess).mean() / truth.var())
        errors.append(np.abs(truth - guess).mean())
    return f"{np.mean(explained):.2f}", f"{np.mean(errors):.2f}"


def _read_from_seconds(seen: Sequence[Told], of_sound) -> tuple[str, str]:
    """Share of the variance that is explained on held-out scenes, and the share of right guesses."""
    explained, right = [], []
    for texture in TEXTURES:
        inputs, values, owners = [], [], []
        for number, told in enumerate(seen):
            thing = next((thing for thing in told.scene.things if thing.look.texture == texture), None)
            for t in range(NUM_FRAMES) if thing else ():
                value = of_sound(thing.sound, t)
                if value is not None:
                    inputs.append(told.view.audio[t].flatten())
                    values.append(float(value))
                    owners.append(number)
        truth, guess = predict(inputs, values, owners)
        explained.append(1 - np.square(truth - guess).mean() / truth.var())
        right.append(((guess > 0.5) == (truth > 0.5)).mean())
    return f"{np.mean(explained):.2f}", f"{np.mean(right):.2f}"


def predict(inputs: list[torch.Tensor], values: list[float], owners: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Ridge regression, fitted on the scenes with even numbers: truth and guesses on the others."""
    x, y = torch.stack(inputs).double().numpy(), np.array(values)
    fitted = np.array(owners) % 2 == 0
    x, middle = x - x[fitted].mean(0), y[fitted].mean()
    spread = x[fitted].T @ x[fitted] + RIDGE * np.eye(x.shape[1])
    weights = np.linalg.solve(spread, x[fitted].T @ (y[fitted] - middle))
    return y[~fitted], middle + x[~fitted] @ weights
