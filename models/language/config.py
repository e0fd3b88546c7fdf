"""What an audio-visual language model is made of: the part of config.json that all of them share."""

from __future__ import annotations

from transformers import PreTrainedConfig


class AudioVisualConfig(PreTrainedConfig):
    """Names the bases and holds what shapes the model.

    `bases`: {"language_model", "vision_encoder", "audio_encoder"} -> path. `qformer`: sizes of the Q-Former blocks,
    in Blip2QFormerConfig's names. `token_ids`: ids of the placeholders. `hidden_size` is the LLM's width; DeepSpeed
    reads it for its automatic bucket sizes.
    """

    def __init__(
        self,
        bases: dict | None = None,
        qformer: dict | None = None,
        num_query_tokens: int = 32,
        vision_feature_layer: int | None = None,
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
        self.lora = lora or {"r": 32, "lora_alpha": 64, "lora_dropout": 0.05}
        self.token_ids = token_ids or {}
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        super().__init__(**kwargs)
