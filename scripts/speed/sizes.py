"""The auditors that are measured: mini has the shipped parts, the other sizes have random weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import (
    BertConfig,
    CLIPVisionConfig,
    CLIPVisionModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerBase,
)

from configs.model import ModelArguments
from models.auditor.auditor import Auditor
from models.auditor.build import load_tokenizer, prepare_language_model
from models.auditor.config import AuditorConfig, qformer_settings
from models.encoders.beats import Beats, BeatsConfig
from models.encoders.tower import PUBLISHED_FEATURE_LAYER
from models.encoders.vision import ClipTower
from models.weights.bundle import AuditorBundle
from models.weights.checkpoint import pixel_settings
from utils.tokens import DIRECT_NTP, PLACEHOLDERS

MINI_PARTS = Path("pretrained_weights/mini")


@dataclass(frozen=True)
class Widths:
    """Sizes of a random auditor; `vision` and `language` in transformers' names."""

    language: dict
    vision: dict
    vision_layer: int
    beats: dict
    bert: dict


WIDTHS = {
    "golden": Widths(  # as in the golden tests: CLIP of full width with narrow layers in between, and a tiny LLM
        language={"hidden_size": 64, "num_hidden_layers": 2, "intermediate_size": 128, "num_attention_heads": 4},
        vision={"hidden_size": 1024, "num_hidden_layers": 24, "intermediate_size": 64, "num_attention_heads": 16},
        vision_layer=PUBLISHED_FEATURE_LAYER,
        beats={"encoder_layers": 2, "encoder_ffn_embed_dim": 64},
        bert={"hidden_size": 64, "num_attention_heads": 4, "intermediate_size": 128},
    ),
    "medium": Widths(
        language={"hidden_size": 512, "num_hidden_layers": 8, "intermediate_size": 1376, "num_attention_heads": 8},
        vision={"hidden_size": 256, "num_hidden_layers": 6, "intermediate_size": 1024, "num_attention_heads": 4},
        vision_layer=-2,
        beats={
            "encoder_layers": 2,
            "encoder_embed_dim": 256,
            "encoder_ffn_embed_dim": 1024,
            "encoder_attention_heads": 4,
        },
        bert={"hidden_size": 256, "num_attention_heads": 4, "intermediate_size": 1024},
    ),
    "full": Widths(
        language={"hidden_size": 4096, "num_hidden_layers": 32, "intermediate_size": 11_008, "num_attention_heads": 32},
        vision={"hidden_size": 1024, "num_hidden_layers": 24, "intermediate_size": 4096, "num_attention_heads": 16},
        vision_layer=PUBLISHED_FEATURE_LAYER,
        beats={},
        bert={"hidden_size": 768, "num_attention_heads": 12, "intermediate_size": 3072},
    ),
}
VOCABULARY, PATCH, PICTURE, POSITIONS = 32_000, 14, 224, 4096


@dataclass(frozen=True)
class Rig:
    """An auditor to be measured. It is not fine-tuned: a bias makes it write template answers (see `steering`)."""

    name: str
    auditor: Auditor
    tokenizer: PreTrainedTokenizerBase
    pixels: dict
    whole_tower: torch.nn.Module  # the vision tower with all its layers, as the published way runs it
    feature_layer: int  # of it


def make_rig(name: str, device: torch.device, dtype: torch.dtype) -> Rig:
    """An auditor of that size on the device. Raises FileNotFoundError for a missing part."""
    make = _mini if name == "mini" else _random
    with torch.device("cpu"):
        torch.manual_seed(0)
        rig = make(name, device, dtype)
    rig.auditor.requires_grad_(False)
    return rig


def _mini(name: str, device: torch.device, dtype: torch.dtype) -> Rig:
    args = ModelArguments(pretrained_weights_dir=str(MINI_PARTS), num_query_tokens=8, vision_feature_layer=-1)
    bundle = AuditorBundle.from_parts(args, dtype)
    auditor = bundle.auditor.to(device).eval()
    tower = auditor.vision_encoder.tower
    return Rig(name, auditor, bundle.tokenizer, bundle.pixels, tower, len(tower.encoder.layers))


def _random(name: str, device: torch.device, dtype: torch.dtype) -> Rig:
    """Prompts and answers come from the mini auditor's tokenizer; the vocabulary has the full number of rows."""
    widths = WIDTHS[name]
    tokenizer = load_tokenizer(MINI_PARTS / "Llama-2-7b-chat-hf", DIRECT_NTP)
    language = LlamaConfig(
        **widths.language, vocab_size=VOCABULARY, max_position_embeddings=POSITIONS, eos_token_id=tokenizer.eos_token_id
    )
    config = AuditorConfig(
        qformer=qformer_settings(BertConfig(**widths.bert), num_layers=2),
        vision_feature_layer=widths.vision_layer,
        token_ids={token: tokenizer.convert_tokens_to_ids(token) for token in PLACEHOLDERS},
        vocab_size=language.vocab_size,
        hidden_size=language.hidden_size,
    )
    with torch.device(device):
        vision = CLIPVisionModel(CLIPVisionConfig(**widths.vision, patch_size=PATCH, image_size=PICTURE)).to(dtype)
        llm = LlamaForCausalLM(language).to(dtype)
        llm = prepare_language_model(llm, config, tokenizer.eos_token_id)
        beats = Beats(BeatsConfig(16, **widths.beats)).to(dtype)
        whole = CLIPVisionModel(vision.config).to(dtype).eval()
        whole.load_state_dict(vision.state_dict())
        auditor = Auditor(config, llm, ClipTower(vision, widths.vision_layer), beats).to(dtype).eval()
    layer = (
        widths.vision_layer if widths.vision_layer > 0 else vision.config.num_hidden_layers + 1 + widths.vision_layer
    )
    pixels = pixel_settings(ModelArguments(pretrained_weights_dir=str(MINI_PARTS)))
    return Rig(name, auditor, tokenizer, pixels, whole, layer)
