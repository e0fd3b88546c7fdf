"""Folders of the parts that an auditor is built on, as transformers writes and reads them: an LLM, its tokenizer, CLIP.

An LLM and its tokenizer share a folder; each is replaced without the other.
"""

from __future__ import annotations

from pathlib import Path

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from utils.manifest import whole_parts

MODEL_FILES = ("config.json", "generation_config.json", "model*.safetensors", "model.safetensors.index.json")
TOKENIZER_FILES = (
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.*",
    "merges.txt",
    "chat_template*",
)


def save_model(model: PreTrainedModel, folder: str | Path) -> None:
    """Write a model's weights and configurations; other files of the folder stay."""
    with whole_parts(folder, MODEL_FILES) as staged:
        model.save_pretrained(staged)


def save_tokenizer(tokenizer: PreTrainedTokenizerBase, folder: str | Path) -> None:
    """Write a tokenizer's files; other files of the folder stay."""
    with whole_parts(folder, TOKENIZER_FILES) as staged:
        tokenizer.save_pretrained(staged)
