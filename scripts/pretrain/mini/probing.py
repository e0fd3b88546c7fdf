"""The work of scripts.pretrain.mini.probe."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from transformers import LlamaForCausalLM

from configs.mini import ProbeArguments
from dataset.media.lengths import NUM_FRAMES
from dataset.world.reference import KINDS
from dataset.world.scenes import Thing
from models.auditor.build import PUBLISHED_NAMES, load_tokenizer
from models.weights.bundle import AuditorBundle
from scripts.pretrain.mini.aligned import words_of
from scripts.pretrain.mini.encoded import encode_all
from scripts.pretrain.mini.facts import FACTS, LOOK
from scripts.pretrain.mini.grounded import PROJECTORS, parts_of
from scripts.pretrain.mini.language import tell_all
from scripts.pretrain.mini.pupil import Pupil
from scripts.pretrain.mini.seen import Picture, show_all
from scripts.pretrain.mini.teacher import Stage, Teacher
from scripts.pretrain.mini.told import Told
from utils.tokens import DIRECT_NTP

COMPARISONS = ("match", "judge")  # lessons whose answer begins with yes or no
SCENES, LESSONS = 14, 8  # of a batch, about each scene
BATCHES = 5  # of each kind of lesson
RIDGE = 1.0
Placed = tuple[int, Told, Picture, int]  # number of the scene, the scene, one of its pictures, and when
Quantity = Callable[[Thing, int], float | str]  # of a thing, so many frames after the key frame
PLACES: dict[str, tuple[str, Quantity]] = {
    "x": ("pixels", lambda thing, on: thing.centre(on)[0]),
    "y": ("pixels", lambda thing, on: thing.centre(on)[1]),
    "size": ("log area", lambda thing, on: float(np.log(thing.area(on)))),
}


def probe(args: ProbeArguments) -> None:
    """Print what the LLM answers on scenes in words, then on scenes seen and heard, then the projectors' probes."""
    llama = Path(args.weights) / PUBLISHED_NAMES["llama_path"]
    tokenizer = load_tokenizer(llama, DIRECT_NTP)
    model = Pupil(tokenizer).eval()
    model.llama.load_state_dict(LlamaForCausalLM.from_pretrained(llama, dtype=torch.float32).state_dict())
    print_lessons("scenes in words", model, Teacher(tokenizer, tell_all(args.seed, args.num_scenes)))
    if not args.num_seen:
        return
    parts = parts_of(Path(args.weights))
    bundle = AuditorBundle.from_parts(parts)
    bundle.load_projectors(parts)
    projectors = {name: getattr(bundle.auditor, part) for name, part in PROJECTORS.items()}
    words = words_of(model.llama.model.embed_tokens.weight, tokenizer)
    seen = show_all(projectors, words, encode_all(bundle, args.num_seen, args.seed))
    print_lessons("scenes seen and heard", model, Teacher(tokenizer, seen[: args.num_scenes]))
    print_projectors(seen)


def print_lessons(name: str, model: Pupil, teacher: Teacher) -> None:
    """Shares of right first words: of "yes" and "no" for comparisons, of all for properties of what is meant."""
    rows = []
    for kind in KINDS:
        row: list[str] = [kind]
        for task in COMPARISONS:
            hits = first_words(model, teacher, task, kind)
            row += [f"{np.mean(hits[word]):.2f}" for word in ("yes", "no")]
        traits = [hit for hits in first_words(model, teacher, "trait", kind).values() for hit in hits]
        rows.append([*row, f"{np.mean(traits):.2f}"])
    columns = [f"{task}: {word}" for task in COMPARISONS for word in ("yes", "no")]
    _print(name, ["expression", *columns, "trait"], rows)


@torch.inference_mode()
def first_words(model: Pupil, teacher: Teacher, task: str, kind: str, batches: int = BATCHES) -> dict[str, list[bool]]:
    """For each first word of a right answer: whether the model's most likely word was that one."""
    stage = Stage("probe", batches, min(SCENES, len(teacher.scenes)), LESSONS, {kind: 1.0}, {task: 1.0})
    hits = defaultdict(list)
    for step in range(batches):
        batch = teacher.batch(stage, step)
        hidden = model.hidden(batch)[-1]
        for row, at, name in batch["decides"]:
            if name == kind:
                right = int(batch["label"][row, at])
                said = int(model.llama.lm_head(hidden[row, at - 1]).argmax())
                hits[teacher.tokenizer.decode([right]).strip()].append(said == right)
    return hits


def print_projectors(seen: Sequence[Told]) -> None:
    """How well a linear map reads quantities of a thing from the projector's token that shows it."""
    frames = [(n, told, picture, t) for n, told in enumerate(seen) for t, picture in _some_frames(told)]
    seconds = [(n, told, told.view.audio[t], t) for n, told in enumerate(seen) for t in range(NUM_FRAMES)]
    rows = []
    for name, (unit, quantity) in PLACES.items():
        truth, guess = predict(*_gather(frames, lambda thing, on, of=quantity: [of(thing, on)]))
        explained = 1 - np.square(truth - guess).mean() / truth.var()
        rows.append(["image", name, f"{explained:.2f}", f"{np.abs(truth - guess).mean():.2f}", unit])
    for name in LOOK:
        rows.append(["image", name, "", f"{_share_right(frames, name, lambda thing: thing.look):.2f}", "right"])
    for name in ("pitch", "loudness"):
        right = _share_right(seconds, name, lambda thing: thing.sound)
        rows.append(["second of sound", name, "", f"{right:.2f}", "right"])
    right = _share_right(seconds, "texture", lambda thing: thing.look)
    rows.append(["second of sound", "texture", "", f"{right:.2f}", "right"])
    _print("linear probes of the projectors", ["token of", "quantity", "of variance", "value", "unit"], rows)


def _some_frames(told: Told) -> list[tuple[int, Picture]]:
    return [(t, told.view.video[t]) for t in range(0, NUM_FRAMES, 3)]


def _gather(pictures: list[Placed], values_of: Callable[[Thing, int], list]) -> tuple[Tensor, np.ndarray, np.ndarray]:
    """(n, D) tokens that show a thing, (n, k) values of the thing, and (n,) numbers of the scenes."""
    tokens, values, owners = [], [], []
    for owner, told, picture, t in pictures:
        for token, thing in picture:
            if thing is not None:
                tokens.append(token)
                values.append(values_of(told.scene.things[thing], t - told.scene.key_frame))
                owners.append(owner)
    return torch.stack(tokens), np.array(values, dtype=float), np.array(owners)


def _share_right(pictures: list[Placed], name: str, of: Callable[[Thing], object]) -> float:
    """How often the right value of a fact is the likeliest one. `of`: what of a thing has the fact."""
    values = FACTS[name]
    truth, guess = predict(*_gather(pictures, lambda thing, _: [getattr(of(thing), name) == v for v in values]))
    return float((truth.argmax(1) == guess.argmax(1)).mean())


def predict(inputs: Tensor, values: np.ndarray, owners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ridge regression, fitted on the scenes with even numbers: truth and guesses (m, k) on the others."""
    x, fitted = inputs.double().numpy(), owners % 2 == 0
    x, middle = x - x[fitted].mean(0), values[fitted].mean(0)
    spread = x[fitted].T @ x[fitted] + RIDGE * np.eye(x.shape[1])
    weights = np.linalg.solve(spread, x[fitted].T @ (values[fitted] - middle))
    return values[~fitted], middle + x[~fitted] @ weights


def _print(name: str, columns: list[str], rows: list[list[str]]) -> None:
    print(f"\n{name}\n{pd.DataFrame(rows, columns=columns).to_string(index=False)}", flush=True)
