"""A cache of keys and values that grows in blocks."""

from __future__ import annotations

import inspect

from torch import Tensor, nn
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

GROWTH = 512  # positions by which a cache grows


class RoomyLayer(DynamicLayer):
    """Keys and values (B, heads, K, d) in blocks with room to grow, so that a step copies only what is new."""

    def update(self, key_states: Tensor, value_states: Tensor, *args, **kwargs) -> tuple[Tensor, Tensor]:
        """Append (B, heads, L, d) -> all keys and values so far, (B, heads, K + L, d)."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self.blocks = [new[:, :, :0] for new in (key_states, value_states)]
            self.keys, self.values = self.blocks
        start, end = self.keys.shape[2], self.keys.shape[2] + key_states.shape[2]
        for i, new in enumerate((key_states, value_states)):
            if end > self.blocks[i].shape[2]:
                room = new.new_empty(*new.shape[:2], end + GROWTH, new.shape[3])
                room[:, :, :start] = self.blocks[i][:, :, :start]
                self.blocks[i] = room
            self.blocks[i][:, :, start:end] = new
        self.keys, self.values = (block[:, :, :end] for block in self.blocks)
        return self.keys, self.values

    def batch_select_indices(self, indices: Tensor) -> None:
        """Go on with these rows, some of them several times: (B, heads, K, d) -> (len(indices), heads, K, d)."""
        self.blocks = [self.keys[indices], self.values[indices]]
        self.keys, self.values = self.blocks


def make_roomy_cache(num_layers: int) -> DynamicCache:
    """An empty cache of so many layers."""
    cache = DynamicCache()
    cache.layers = [RoomyLayer() for _ in range(num_layers)]
    return cache


def cache_argument(llm: nn.Module) -> str:
    """The name by which an LLM takes its cache: transformers 5.24 has renamed that of most classes."""
    own = llm.get_base_model() if hasattr(llm, "get_base_model") else llm  # what PEFT has wrapped
    return "cache" if "cache" in inspect.signature(own.forward).parameters else "past_key_values"
