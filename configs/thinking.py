"""Settings of Ref-Thinker: its data, its training and its answers."""

from __future__ import annotations

from dataclasses import dataclass, field

from configs.data import FeatureArguments
from configs.model import ModelArguments
from configs.referring import ReferringArguments
from configs.runtime import AnsweringArguments
from configs.training import FinetuningOptions

PUBLISHED_LORA_R, PUBLISHED_LORA_ALPHA = 8, 16


@dataclass
class ThinkerArguments(ModelArguments):
    """The parts of a Ref-Thinker. Settings of masks and IoUs have no meaning here."""

    lora_r: int = field(default=PUBLISHED_LORA_R, metadata={"help": "LoRA rank."})
    lora_alpha: int = field(default=PUBLISHED_LORA_ALPHA, metadata={"help": "LoRA scale numerator."})

    def __post_init__(self):
        super().__post_init__()
        if self.without or self.mask_encode_mode or self.iou_estimation != "direct_ntp":
            raise ValueError("--without, --mask_encode_mode, --iou_estimation: a thinker has none of these settings")


@dataclass(kw_only=True)
class ThinkDataArguments(FeatureArguments):
    """What Ref-Thinker is trained on."""

    data_dir: str = field(
        default="../REFAVS", metadata={"help": "Folder with media and, for null references, media_cross."}
    )
    metadata_dir: str | None = field(
        default=None, metadata={"help": "Another folder where metadata and answers may lie (R2AVSBench)."}
    )
    tuning_file: str | None = field(
        default=None,
        metadata={"help": "The answers to learn. Default: RefThinker_instruction_tuning_set.json in these folders."},
    )
    test_wording_every: int = field(
        default=0,
        metadata={
            "help": "Give each n-th expression the prompt of tests, which is worded differently. Published: 0, none. "
            "A small LLM has to be prepared for it."
        },
    )
    cache_features: bool = field(
        default=False, metadata={"help": "Encode every image and sound once, before training, and keep the features."}
    )

    def __post_init__(self):
        super().__post_init__()
        self.cache_features = self.cache_features or self.feature_cache_dir is not None
        if self.test_wording_every < 0:
            raise ValueError(f"--test_wording_every: expected 0 or more, got {self.test_wording_every}")


@dataclass
class ThinkTrainingOptions(FinetuningOptions):
    """Where the thinker is written."""

    output_dir: str = field(
        default="checkpoints/Ref-Thinker-finetuned", metadata={"help": "Folder of the trained thinker."}
    )


@dataclass(kw_only=True)
class ThinkArguments(ReferringArguments, FeatureArguments, AnsweringArguments):
    """One run of Ref-Thinker over a test split."""

    data_dir: str = field(
        default="../REFAVS", metadata={"help": "Folder with media and, for null references, media_cross."}
    )
    thinker_dir: str = field(
        default="checkpoints/Ref-Thinker",
        metadata={"help": "Our folder of a thinker, the published pair's folder, or one checkpoint-N of it."},
    )
    output_dir: str = field(default="results/Ref-Thinker", metadata={"help": "Where the run's folder is written."})
    test_name: str = field(
        default="test_s", metadata={"help": "Split.", "choices": ("test_s", "test_u", "test_n", "val", "train")}
    )

    def __post_init__(self):
        FeatureArguments.__post_init__(self)
        AnsweringArguments.__post_init__(self)


@dataclass(kw_only=True)
class TuningSetArguments:
    """Answers to learn, made from ground truth."""

    data_dir: str = field(metadata={"help": "Dataset in the layout of Ref-AVSBench, or a drawn world."})
    output_dir: str = field(
        metadata={"help": "Where RefThinker_instruction_tuning_set.json and RefAVSBench_metadata.csv are written."}
    )
    metadata: str | None = field(default=None, metadata={"help": "Metadata. Default: <data_dir>/metadata.csv"})
    null_share: float = field(
        default=0.0,
        metadata={"help": "Add references to nothing: expressions of other videos, so many for each expression."},
    )
    with_boxes: bool = field(default=False, metadata={"help": "Also say where the object is, from its masks."})
    seed: int = field(default=0, metadata={"help": "Decides the references to nothing."})

    def __post_init__(self):
        if not 0 <= self.null_share <= 1:
            raise ValueError(f"--null_share: expected a number from 0 to 1, got {self.null_share}")
