"""The work of scripts.pretrain.mini.grounding: what the LLM was told in words, it now sees and hears.

Scenes pass the encoders; the projectors learn to say what is there; the LLM goes on with lessons about what they show.
"""

from __future__ import annotations

from pathlib import Path

import torch

from configs.mini import PartsArguments
from configs.model import ModelArguments
from models.auditor.build import PUBLISHED_NAMES, load_tokenizer
from models.weights.base_folders import save_model
from models.weights.bundle import AuditorBundle
from models.weights.published import write_pretrained_projector
from scripts.pretrain.mini.aligned import align, words_of
from scripts.pretrain.mini.all_parts import THREADS
from scripts.pretrain.mini.encoded import NUM_SCENES, SEED, encode_all
from scripts.pretrain.mini.language import KINDS, STAGES, learn
from scripts.pretrain.mini.pupil import Pupil
from scripts.pretrain.mini.seen import show_all
from scripts.pretrain.mini.teacher import Stage, Teacher
from scripts.pretrain.mini.told import NUM_SLOTS
from utils.tokens import DIRECT_NTP

PROJECTORS = {"image": "vision_projector", "sound": "audio_projector"}
FILES = {"image": "visual_pretrain.safetensors", "sound": "audio_pretrain.safetensors"}
STAGE = Stage(
    name="grounded",
    steps=1_200,
    scenes=12,
    lessons=8,
    kinds=KINDS,
    tasks={"judge": 0.74, "trait": 0.14, "find": 0.04, "hear": 0.04, "repeat": 0.04},
    left_out=0.08,
)


def parts_of(weights: Path) -> ModelArguments:
    """The settings of an auditor that is made of the parts in a folder."""
    return ModelArguments(pretrained_weights_dir=str(weights), num_query_tokens=NUM_SLOTS, vision_feature_layer=-1)


def ground(args: PartsArguments) -> None:
    """Train the projectors and then the LLM, and save them. Finished steps are not repeated."""
    torch.set_num_threads(THREADS)
    weights, work = Path(args.weights), Path(args.work)
    llama = weights / PUBLISHED_NAMES["llama_path"]
    tokenizer = load_tokenizer(llama, DIRECT_NTP)
    model = Pupil(tokenizer)
    model.load_state_dict(torch.load(work / f"language_{STAGES[-1].name}.done.pt", weights_only=True))
    torch.manual_seed(SEED)
    bundle = AuditorBundle.from_parts(parts_of(weights))
    projectors = {name: getattr(bundle.auditor, part) for name, part in PROJECTORS.items()}
    words = words_of(model.llama.model.embed_tokens.weight, tokenizer)

    finished = (work / f"language_{STAGE.name}.done.pt").is_file()
    encoded = [] if finished else encode_all(bundle, NUM_SCENES)
    align(projectors, words, encoded, work)
    for name, projector in projectors.items():
        state = {f"{PROJECTORS[name]}.{key}": tensor for key, tensor in projector.eval().state_dict().items()}
        write_pretrained_projector(state, weights / FILES[name])
    teacher = Teacher(tokenizer, show_all(projectors, words, encoded))
    learn(STAGE, model, teacher, work, SEED)
    save_model(model.llama.half(), llama)
