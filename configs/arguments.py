"""Settings of training and auditing, as dataclasses. Defaults are the published settings; recipes may change them."""

from __future__ import annotations

from dataclasses import dataclass, field

from utils.mask_modes import canonical_mask_mode
from utils.splits import EVAL_MODES, TEST_NAMES
from utils.tokens import DIRECT_NTP, IOU_ESTIMATIONS, reserved_tokens

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
        metadata={"help": "CLIP folder, or open_clip:<model>[@file], timm:<model>[@file]. "
                          "Default: <dir>/clip-vit-large-patch14"},
    )  # fmt: skip
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
        metadata={"help": "Load the LLM's frozen layers in 8 or 4 bits, with bitsandbytes; LoRA on 4bit is QLoRA.",
                  "choices": ("none", "8bit", "4bit")},
    )  # fmt: skip
    lora_r: int = field(default=32, metadata={"help": "LoRA rank."})
    lora_alpha: int = field(default=64, metadata={"help": "LoRA scale numerator."})
    lora_dropout: float = field(default=0.05, metadata={"help": "LoRA dropout."})

    def __post_init__(self):
        for name in ("lora_r", "lora_alpha", "num_query_tokens", "num_qformer_layers"):
            if getattr(self, name) < 1:
                raise ValueError(f"--{name}: expected at least 1, got {getattr(self, name)}")
        if unknown := [name for name in self.without if name not in ABLATED_INPUTS]:
            raise ValueError(f"--without: expected some of {', '.join(ABLATED_INPUTS)}, got {', '.join(unknown)}")
        if self.mask_encode_mode is not None:
            self.mask_encode_mode = canonical_mask_mode(self.mask_encode_mode)


@dataclass
class FeatureArguments:
    """Where features of the frozen encoders are kept between runs."""

    feature_cache_dir: str | None = field(
        default=None,
        metadata={"help": "Folder in which the features of every image and sound are kept for later runs; may be "
                          "shared by several. Default: none is used."},
    )  # fmt: skip
    feature_cache_gb: float = field(
        default=50.0, metadata={"help": "Most that --feature_cache_dir may hold; the longest unused features go first."}
    )

    def __post_init__(self):
        if self.feature_cache_gb <= 0:
            raise ValueError(f"--feature_cache_gb: expected a number above 0, got {self.feature_cache_gb:g}")


@dataclass
class DataArguments(FeatureArguments):
    """What is read from MQ-RAVSBench, and which masks of a video are shown in training."""

    data_dir: str = field(default="../MQ-RAVSBench", metadata={"help": "Folder of MQ-RAVSBench."})
    on_bad_sample: str = field(
        default="fail",
        metadata={"help": "fail: list every problem and stop. skip: go on without the bad samples and count them.",
                  "choices": ("fail", "skip")},
    )  # fmt: skip
    pos_ratio: float = field(default=0.5, metadata={"help": "Share of perfect masks in a mini-batch (paper Table 6)."})
    masks_per_video: int = field(
        default=1,
        metadata={"help": "Masks of one video in a mini-batch, behind one shared prompt: the same loss with fewer "
                          "tokens. Has to divide the batch; an epoch then has so many masks of every video."},
    )  # fmt: skip
    wordings: list[str] = field(
        default_factory=lambda: ["train"],
        metadata={"help": "Prompts that training videos get in turn: train (published), image, video. The published "
                          "test prompts are worded differently, which a small LLM has to be prepared for."},
    )  # fmt: skip
    cache_features: bool = field(
        default=False,
        metadata={"help": "Encode every image and sound once, before training, and keep the features: in memory, or "
                          "in --feature_cache_dir."},
    )  # fmt: skip
    train_fraction: float = field(default=1.0, metadata={"help": "Share of training videos used (paper Table 10)."})
    eval_fraction: float = field(
        default=0.02, metadata={"help": "Share of training videos held out to watch the loss; 0 trains on all of them."}
    )

    def __post_init__(self):
        super().__post_init__()
        self.cache_features = self.cache_features or self.feature_cache_dir is not None
        for name, low_is_open in (("pos_ratio", False), ("train_fraction", True), ("eval_fraction", False)):
            value = getattr(self, name)
            if not 0 <= value <= 1 or (low_is_open and value == 0):
                low = "above 0" if low_is_open else "from 0"
                raise ValueError(f"--{name}: expected a number {low} to 1, got {value}")
        if not self.wordings or set(self.wordings) - {"train", "image", "video"}:
            raise ValueError(
                f"--wordings: expected some of train, image, video, got {' '.join(self.wordings) or 'none'}"
            )
        if self.masks_per_video < 1:
            raise ValueError(f"--masks_per_video: expected at least 1, got {self.masks_per_video}")


@dataclass(kw_only=True)
class CaptionArguments:
    """What a projector is pretrained on."""

    modality: str = field(metadata={"help": "Which projector.", "choices": ("visual", "audio")})
    captions: list[str] = field(
        metadata={"help": "JSON lists: Video-LLaVA's of images and videos, or AudioCaps' train.json."}
    )
    media_dir: str = field(
        metadata={"help": "What the paths of the lists are relative to; of AudioCaps the folder that holds data/."}
    )
    cache_features: bool = field(
        default=False, metadata={"help": "Encode everything once, before training, and keep the features in memory."}
    )
    file_name: str | None = field(
        default=None,
        metadata={"help": "Name of the projector's file; .safetensors writes that format. Default: the published name, "
                          "visual_pretrain.bin or audio_pretrain.bin"},
    )  # fmt: skip

    def __post_init__(self):
        self.file_name = self.file_name or f"{self.modality}_pretrain.bin"


@dataclass
class RuntimeArguments:
    """Where and how answers are generated."""

    device: str = field(default="cuda:0", metadata={"help": "cuda:N or cpu; the CPU stands in where there is no GPU."})
    dtype: str = field(
        default="auto",
        metadata={"help": "auto: float32 on CPU, bfloat16 on a GPU.",
                  "choices": ("auto", "float32", "bfloat16", "float16")},
    )  # fmt: skip
    max_new_tokens: int = field(default=256, metadata={"help": "Longest answer, in tokens."})
    merge_lora: bool = field(
        default=False,
        metadata={"help": "Fold LoRA into the LLM's weights: faster, the same answers up to rounding."},
    )

    def __post_init__(self):
        if self.max_new_tokens < 1:
            raise ValueError(f"--max_new_tokens: expected at least 1, got {self.max_new_tokens}")


@dataclass
class AnsweringArguments(RuntimeArguments):
    """How many masks are audited together, and how fast."""

    batch_size: int = field(
        default=0, metadata={"help": "Masks audited together, at most. 0: as many as fit --max_memory_gb, measured."}
    )
    max_memory_gb: float | None = field(
        default=None,
        metadata={"help": "Memory for audits, of the GPU or else of the machine. Default: most of what is free."},
    )
    num_workers: int = field(default=2, metadata={"help": "Processes that decode media."})
    share_prompts: bool = field(
        default=True,
        metadata={"help": "Read what the masks of a batch have in common once: faster, the same answers (float32)."},
    )
    draft_answers: bool = field(
        default=True,
        metadata={
            "help": "Guess how an answer goes on from those before it, and check: faster, the same answers (float32). "
            "Needs --share_prompts."
        },
    )

    def __post_init__(self):
        super().__post_init__()
        for name, low in (("batch_size", 0), ("num_workers", 0)):
            if getattr(self, name) < low:
                raise ValueError(f"--{name}: expected at least {low}, got {getattr(self, name)}")


@dataclass
class EvaluationArguments(FeatureArguments, AnsweringArguments):
    """One audit run over a test split."""

    data_dir: str = field(default="../MQ-RAVSBench", metadata={"help": "Folder of MQ-RAVSBench."})
    auditor_dir: str = field(
        default="checkpoints/MQ-Auditor",
        metadata={"help": "Our auditor folder, the published pair's folder, or one checkpoint-N of it."},
    )
    output_dir: str = field(default="results/MQ-Auditor", metadata={"help": "Where the run's folder is written."})
    test_name: str = field(default="test_s", metadata={"help": "Split.", "choices": TEST_NAMES})
    eval_mode: str = field(default="image", metadata={"help": "Protocol.", "choices": EVAL_MODES})
    mask_type_filter: str = field(default="all", metadata={"help": "all, or one mask type."})
    mask_rank_filter: int = field(default=-1, metadata={"help": "-1: all ranks; 1: hard; 2: medium."})
    on_bad_sample: str = field(
        default="fail", metadata={"help": "fail, or skip and count.", "choices": ("fail", "skip")}
    )

    def __post_init__(self):
        FeatureArguments.__post_init__(self)
        AnsweringArguments.__post_init__(self)


@dataclass(kw_only=True)
class AuditArguments(RuntimeArguments):
    """One audit of one mask of a clip of one's own."""

    expression: str = field(metadata={"help": "What the mask should show, e.g. 'the dog that barks'."})
    mask: str = field(metadata={"help": "Picture of the mask; what is not black is inside. Any size."})
    frame: int = field(
        metadata={"help": "Which of the ten frames, 0 to 9, the mask belongs to. Frame i of a ten second video is the "
                          "one at i seconds, and lies in OUTPUT/frames after a run."}
    )  # fmt: skip
    video: str | None = field(default=None, metadata={"help": "Video file with sound; ten seconds of it are used."})
    frames: str | None = field(
        default=None, metadata={"help": "Instead of --video: folder of ten numbered images. Needs --audio."}
    )
    audio: str | None = field(default=None, metadata={"help": "Sound file; replaces the sound of --video."})
    auditor: str = field(
        default="checkpoints/MQ-Auditor",
        metadata={"help": "Our auditor folder, the published pair's folder, or one checkpoint-N of it."},
    )
    output: str = field(default="results/audit", metadata={"help": "Folder of audit.json, audit.png and the media."})

    def __post_init__(self):
        super().__post_init__()
        check_clip(self.expression, self.frame, self.video, self.frames, self.audio)


def check_clip(expression: str, frame: int, video: object, frames: object, audio: object) -> None:
    """The checks of a question about a mask of a clip that need no file. Raises ValueError naming the argument."""
    if (video is None) == (frames is None):
        raise ValueError(f"expected --video or --frames, got {'neither' if video is None else 'both'}")
    if frames is not None and audio is None:
        raise ValueError("--frames: expected the sound with --audio FILE, got none")
    if not 0 <= frame <= 9:
        raise ValueError(f"--frame: expected 0 to 9, got {frame}")
    if not expression.strip():
        raise ValueError("--expression: expected words, got none")
    if any("\ud800" <= c <= "\udfff" for c in expression):
        raise ValueError("--expression: expected UTF-8 text, got other bytes")
    if reserved := reserved_tokens(expression):
        raise ValueError(f"--expression: expected plain words, got the reserved {', '.join(reserved)}")


@dataclass
class ConversionArguments:
    """One conversion between our folder and the released pair."""

    source: str = field(metadata={"help": "Our auditor folder, the released pair's folder, or one checkpoint-N of it."})
    target: str = field(metadata={"help": "Folder to write."})
    step: int = field(default=960, metadata={"help": "N of the checkpoint-N folder that the pair gets."})

    def __post_init__(self):
        if self.step < 0:
            raise ValueError(f"--step: expected 0 or more, got {self.step}")
