"""The work of scripts.pretrain.mini.parts: every part that is no projector, one after the other."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from configs.mini import PartsArguments
from models.auditor.build import PUBLISHED_NAMES
from scripts.pretrain.mini.audio import make_audio_encoder
from scripts.pretrain.mini.language import make_language_model
from scripts.pretrain.mini.tokenizer import make_tokenizer
from scripts.pretrain.mini.vision import make_vision_encoder
from utils.manifest import whole_parts

# The sizes of the Q-Formers. Weights as small as BERT's would let the queries look everywhere alike for very long.
BERT_CONFIG = {
    "model_type": "bert",
    "hidden_size": 128,
    "num_attention_heads": 4,
    "intermediate_size": 256,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
    "initializer_range": 0.12,
    "layer_norm_eps": 1e-12,
}
THREADS = 1  # sums do not depend on how they are divided, and two stages can be made side by side


def make_parts(args: PartsArguments) -> None:
    """Each part in turn; what is finished is not made again."""
    torch.set_num_threads(THREADS)
    weights, work = Path(args.weights), Path(args.work)
    llama, bert = weights / PUBLISHED_NAMES["llama_path"], weights / PUBLISHED_NAMES["bert_path"]
    make_vision_encoder(weights / PUBLISHED_NAMES["clip_path"], work)
    make_audio_encoder((weights / PUBLISHED_NAMES["beats_path"]).with_suffix(".safetensors"), work)
    make_tokenizer(llama)
    make_language_model(llama, work)
    with whole_parts(bert, ["config.json"]) as staged:
        (staged / "config.json").write_text(json.dumps(BERT_CONFIG, indent=1) + "\n")
