"""Ref-Thinker (TGS-Agent, arXiv 2508.04418): the auditor's language model with other words and without a mask."""

from __future__ import annotations

from torch import nn

from models.language.audio_visual import AudioVisualLM
from models.thinker.config import ThinkerConfig


class RefThinker(AudioVisualLM):
    """Reads ten frames, ten seconds of sound and an expression; writes its reasoning and the object's name."""

    def __init__(
        self, config: ThinkerConfig, language_model: nn.Module, vision_encoder: nn.Module, audio_encoder: nn.Module
    ):
        super().__init__(
            language_model,
            vision_encoder,
            audio_encoder,
            config.token_ids,
            config.hidden_size,
            config.num_query_tokens,
            config.qformer,
        )
        self.config = config
