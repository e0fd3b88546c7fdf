"""What a model is trained on, and where features of the frozen encoders are kept."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from configs.ranges import check_ranges


@dataclass(kw_only=True)
class LinkArguments:
    """Links in folders of data."""

    allow_links: bool = field(
        default=False,
        metadata={
            "help": "Also read linked files that lead out of the data's folder. Linked folders are followed always."
        },
    )


@dataclass
class FeatureArguments:
    """Where features of the frozen encoders are kept between runs."""

    feature_cache_dir: str | None = field(
        default=None,
        metadata={
            "help": "Folder in which the features of every image and sound are kept for later runs; may be "
            "shared by several. Default: none is used."
        },
    )
    feature_cache_gb: float = field(
        default=50.0, metadata={"help": "Most that --feature_cache_dir may hold; the longest unused features go first."}
    )

    def __post_init__(self):
        if not 0 < self.feature_cache_gb < math.inf:
            raise ValueError(f"--feature_cache_gb: expected a number above 0, got {self.feature_cache_gb:g}")


@dataclass
class DataArguments(FeatureArguments, LinkArguments):
    """What is read from MQ-RAVSBench, and which masks of a video are shown in training."""

    data_dir: str = field(default="../MQ-RAVSBench", metadata={"help": "Folder of MQ-RAVSBench."})
    on_bad_sample: str = field(
        default="fail",
        metadata={
            "help": "fail: list every problem and stop. skip: go on without the bad samples and count them.",
            "choices": ("fail", "skip"),
        },
    )
    pos_ratio: float = field(default=0.5, metadata={"help": "Share of perfect masks in a mini-batch (paper Table 6)."})
    masks_per_video: int = field(
        default=1,
        metadata={
            "help": "Masks of one video in a mini-batch, behind one shared prompt: the same loss with fewer "
            "tokens. Has to divide the batch; an epoch then has so many masks of every video."
        },
    )
    wordings: list[str] = field(
        default_factory=lambda: ["train"],
        metadata={
            "help": "Prompts that training videos get in turn: train (published), image, video. The published "
            "test prompts are worded differently, which a small LLM has to be prepared for."
        },
    )
    decision_weight: float = field(
        default=1.0,
        metadata={
            "help": "Weight in the loss of the tokens that decide which of the eleven answer templates follows, such "
            "as 'achieves' (perfect) or 'represents' (full_neg), and of the IoU's digits down to the tenths. All other "
            "tokens weigh 1. Published: 1."
        },
    )
    cache_features: bool = field(
        default=False,
        metadata={
            "help": "Encode every image and sound once, before training, and keep the features: in memory, or "
            "in --feature_cache_dir."
        },
    )
    known_clips: int = field(
        default=1000,
        metadata={
            "help": "Training clips, at most, whose features are kept with the auditor, so that it can tell a clip "
            "that is unlike all of them (docs/certainty.md). 0: none."
        },
    )
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
        check_ranges(self, {"decision_weight": (0, 1000)})
        if self.known_clips < 0:
            raise ValueError(f"--known_clips: expected 0 or more, got {self.known_clips}")
        if self.masks_per_video < 1:
            raise ValueError(f"--masks_per_video: expected at least 1, got {self.masks_per_video}")


@dataclass(kw_only=True)
class CaptionArguments(LinkArguments):
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
        metadata={
            "help": "Name of the projector's file; .safetensors writes that format. Default: the published name, "
            "visual_pretrain.bin or audio_pretrain.bin"
        },
    )

    def __post_init__(self):
        self.file_name = self.file_name or f"{self.modality}_pretrain.bin"
