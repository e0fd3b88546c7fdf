"""What an auditor is made of: the content of its config.json."""

from __future__ import annotations

from transformers import AutoConfig, BertConfig, PreTrainedConfig

from utils.mask_modes import DEFAULT_MASK_MODE
from utils.tokens import DIRECT_NTP

LORA_TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class AuditorConfig(PreTrainedConfig):
    """Names the bases and holds every choice that shapes the model.

    `bases`: {"language_model", "vision_encoder", "audio_encoder"} -> path. `qformer`: sizes of the Q-Former blocks,
    in Blip2QFormerConfig's names. `without`: inputs that it does not get (`configs.model.ABLATED_INPUTS`).
    `token_ids`: ids of the placeholders (and of `<iou_value>` with Regress ST). `hidden_size` is the LLM's width;
    DeepSpeed reads it for its automatic bucket sizes.
    """

    model_type = "mq_auditor"

    def __init__(
        self,
        bases: dict | None = None,
        qformer: dict | None = None,
        num_query_tokens: int = 32,
        vision_feature_layer: int | None = None,
        mask_encode_mode: str = DEFAULT_MASK_MODE,
        iou_estimation: str = DIRECT_NTP,
        without: list[str] | None = None,
        lora: dict | None = None,
        token_ids: dict | None = None,
        vocab_size: int = 0,
        hidden_size: int = 0,
        **kwargs,
    ):
        self.bases = bases or {}
        self.qformer = qformer or {}
        self.num_query_tokens = num_query_tokens
        self.vision_feature_layer = vision_feature_layer
        self.mask_encode_mode = mask_encode_mode
        self.iou_estimation = iou_estimation
        self.without = without or []
        self.lora = lora or {"r": 32, "lora_alpha": 64, "lora_dropout": 0.05}
        self.token_ids = token_ids or {}
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        super().__init__(**kwargs)


AutoConfig.register(AuditorConfig.model_type, AuditorConfig)


def qformer_settings(bert_config: dict, num_layers: int) -> dict:
    """The sizes of a BERT config.json as Q-Former settings; only the depth differs (2 as published)."""
    config = BertConfig(**bert_config)
    names = ("hidden_size", "num_attention_heads", "intermediate_size", "hidden_act", "layer_norm_eps")
    names += ("hidden_dropout_prob", "attention_probs_dropout_prob", "initializer_range")
    return {"num_hidden_layers": num_layers, **{name: getattr(config, name) for name in names}}
