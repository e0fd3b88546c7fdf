"""One audit run over a test split."""

from __future__ import annotations

from dataclasses import dataclass, field

from configs.data import FeatureArguments, LinkArguments
from configs.runtime import AnsweringArguments
from utils.certainty.expected import IOU_KINDS, WRITTEN
from utils.splits import EVAL_MODES, TEST_NAMES


@dataclass
class EvaluationArguments(FeatureArguments, AnsweringArguments, LinkArguments):
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
    iou: str = field(
        default=WRITTEN,
        metadata={
            "help": "Which IoU is scored. written: the number in the answer. expected: the mean of what its "
            "probabilities say, with the auditor's calibration (docs/certainty.md).",
            "choices": IOU_KINDS,
        },
    )
    report: bool = field(
        default=True, metadata={"help": "Also write a report into the run's folder, as scripts.report does."}
    )
    on_bad_sample: str = field(
        default="fail", metadata={"help": "fail, or skip and count.", "choices": ("fail", "skip")}
    )

    def __post_init__(self):
        FeatureArguments.__post_init__(self)
        AnsweringArguments.__post_init__(self)
