"""What a thinker is made of: the content of its config.json."""

from __future__ import annotations

from transformers import AutoConfig

from models.language.config import AudioVisualConfig


class ThinkerConfig(AudioVisualConfig):
    """The parts of a Ref-Thinker; it has no settings of its own."""

    model_type = "ref_thinker"


AutoConfig.register(ThinkerConfig.model_type, ThinkerConfig)
