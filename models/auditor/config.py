"""What an auditor is made of: the content of its config.json."""

from __future__ import annotations

from transformers import AutoConfig, BertConfig

from models.language.config import AudioVisualConfig
from utils.mask_modes import DEFAULT_MASK_MODE
from utils.tokens import DIRECT_NTP

LORA_TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def lora_settings(lora: dict) -> dict:
    """`AuditorConfig.lora` as PEFT takes it: with the published targets, where it names no others."""
    return {"target_modules": list(LORA_TARGETS), **lora}


class AuditorConfig(AudioVisualConfig):
    """The parts of an auditor, and what only an auditor has.

    `without`: inputs that it does not get (`configs.model.ABLATED_INPUTS`). With Regress ST, `token_ids` has that of
    `<iou_value>`, too.
    """

    model_type = "mq_auditor"

    def __init__(
        self,
        mask_encode_mode: str = DEFAULT_MASK_MODE,
        iou_estimation: str = DIRECT_NTP,
        without: list[str] | None = None,
        **kwargs,
    ):
        self.mask_encode_mode = mask_encode_mode
        self.iou_estimation = iou_estimation
        self.without = without or []
        super().__init__(**kwargs)


AutoConfig.register(AuditorConfig.model_type, AuditorConfig)


def qformer_settings(bert: BertConfig, num_layers: int) -> dict:
    """The sizes of a BERT as Q-Former settings; only the depth differs (2 as published)."""
    names = ("hidden_size", "num_attention_heads", "intermediate_size", "hidden_act", "layer_norm_eps")
    names += ("hidden_dropout_prob", "attention_probs_dropout_prob", "initializer_range")
    return {"num_hidden_layers": num_layers, **{name: getattr(bert, name) for name in names}}
