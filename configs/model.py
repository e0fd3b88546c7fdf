"""The parts of an auditor, how they are joined and what learns. Defaults are the published settings."""

from __future__ import annotations

from dataclasses import dataclass, field

from configs.ranges import check_ranges
from utils.mask_modes import canonical_mask_mode
from utils.tokens import DIRECT_NTP, IOU_ESTIMATIONS

ABLATED_INPUTS = ("audio", "video", "key_frame", "expression")


@dataclass
class ModelArguments:
    """The parts of an auditor and how they are joined (paper Sec. 4)."""

    pretrained_weights_dir: str = field(
        default="pretrained_weights", metadata={"help": "Folder that holds the parts under their published names."}
    )
    llama_path: str | None = field(default=None, metadata={"help": "LLM folder. Default: <dir>/Llama-2-7b-chat-hf"})
    clip_path: str | None = field(
        default=None,
        metadata={
            "help": "CLIP folder, or open_clip:<model>[@file], timm:<model>[@file]. "
            "Default: <dir>/clip-vit-large-patch14"
        },
    )
    beats_path: str | None = field(
        default=None, metadata={"help": "BEATs file. Default: <dir>/BEATs_iter3_plus_AS2M_finetuned_on_AS2M_cpt2.pt"}
    )
    bert_path: str | None = field(
        default=None,
        metadata={"help": "BERT folder; only its config.json is read. Default: <dir>/google-bert-base-uncased"},
    )
    audio_pretrain_path: str | None = field(
        default=None, metadata={"help": "Pretrained audio projector. Default: <dir>/audio_pretrain.bin"}
    )
    visual_pretrain_path: str | None = field(
        default=None, metadata={"help": "Pretrained visual projector. Default: <dir>/visual_pretrain.bin"}
    )
    num_query_tokens: int = field(default=32, metadata={"help": "Learned queries per image or audio second."})
    num_qformer_layers: int = field(default=2, metadata={"help": "Q-Former depth."})
    vision_feature_layer: int | None = field(
        default=None,
        metadata={"help": "CLIP hidden state that is read. Default: 23; the last but one of a small tower"},
    )
    mask_encode_mode: str | None = field(
        default=None,
        metadata={
            "help": "mask, masked_frame, mask_and_masked_frame or mask_overlay (paper Table 9). Default: as the "
            "auditor was trained; mask_and_masked_frame for a new one and for the released pair"
        },
    )
    iou_estimation: str = field(
        default=DIRECT_NTP, metadata={"help": "direct_ntp or regress_st (paper Table 5).", "choices": IOU_ESTIMATIONS}
    )
    without: list[str] = field(
        default_factory=list,
        metadata={"help": "Ablation: inputs that a new auditor is trained without (audio video key_frame expression)."},
    )
    quantization: str = field(
        default="none",
        metadata={
            "help": "Load the LLM's frozen layers in 8 or 4 bits, with bitsandbytes; LoRA on 4bit is QLoRA.",
            "choices": ("none", "8bit", "4bit"),
        },
    )
    lora_r: int = field(default=32, metadata={"help": "LoRA rank."})
    lora_alpha: int = field(default=64, metadata={"help": "LoRA scale numerator."})
    lora_dropout: float = field(default=0.05, metadata={"help": "LoRA dropout."})
    lora_targets: list[str] = field(
        default_factory=list,
        metadata={
            "help": "Linear layers of the LLM that LoRA is for, by the last part of their names. Default: those of "
            "LLaMA (q_proj k_proj v_proj o_proj gate_proj up_proj down_proj). All have to exist."
        },
    )

    def __post_init__(self):
        for name in ("lora_r", "lora_alpha", "num_query_tokens", "num_qformer_layers"):
            if getattr(self, name) < 1:
                raise ValueError(f"--{name}: expected at least 1, got {getattr(self, name)}")
        check_ranges(self, {"lora_dropout": (0, 1), "lora_alpha": (1, 10**6), "lora_r": (1, 10**6)})
        check_ranges(self, {"num_query_tokens": (1, 10**4), "num_qformer_layers": (1, 1000)})
        if unknown := [name for name in self.without if name not in ABLATED_INPUTS]:
            raise ValueError(f"--without: expected some of {', '.join(ABLATED_INPUTS)}, got {', '.join(unknown)}")
        if self.mask_encode_mode is not None:
            self.mask_encode_mode = canonical_mask_mode(self.mask_encode_mode)
