"""Encoder features -> a few tokens that the LLM can read. One class, made once per modality."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import Blip2QFormerConfig, Blip2QFormerModel


class QFormerProjector(nn.Module):
    """Q-Former with learned queries, then a two-layer perceptron (paper Sec. 4).

    N encoder tokens per item (an image, or a second of audio), E encoder width, Q query tokens, D LLM width.
    """

    def __init__(self, encoder_width: int, llm_width: int, num_query_tokens: int, qformer_config: dict):
        super().__init__()
        config = Blip2QFormerConfig(**qformer_config, encoder_hidden_size=encoder_width, cross_attention_frequency=1)
        self.norm = nn.LayerNorm(encoder_width)
        self.query_tokens = nn.Parameter(torch.empty(1, num_query_tokens, config.hidden_size))
        nn.init.normal_(self.query_tokens, std=config.initializer_range)
        self.qformer = Blip2QFormerModel(config)
        self.mlp = nn.Sequential(nn.Linear(config.hidden_size, llm_width), nn.GELU(), nn.Linear(llm_width, llm_width))

    def forward(self, features: Tensor) -> Tensor:
        """(M, N, E) features of M items -> (M, Q, D)."""
        queries = self.query_tokens.expand(len(features), -1, -1)
        attended = self.qformer(
            query_embeds=queries, encoder_hidden_states=self.norm(features.to(self.norm.weight.dtype))
        )
        return self.mlp(attended.last_hidden_state)
