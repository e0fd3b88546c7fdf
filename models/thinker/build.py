"""How a thinker differs from an auditor when it is made from its parts."""

from __future__ import annotations

from transformers import PreTrainedTokenizerBase

from configs.model import ModelArguments
from models.auditor.build import Kind, shared_settings
from models.thinker.config import ThinkerConfig
from models.thinker.thinker import RefThinker
from utils.tokens import THINK_PLACEHOLDERS, THINK_TOKENS


def _new_config(args: ModelArguments, tokenizer: PreTrainedTokenizerBase) -> ThinkerConfig:
    return ThinkerConfig(**shared_settings(args, tokenizer, THINK_PLACEHOLDERS))


THINKER = Kind("thinker", ThinkerConfig, RefThinker, lambda args: list(THINK_TOKENS), _new_config)
