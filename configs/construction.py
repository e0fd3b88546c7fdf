"""Settings of the programs that build, verify and describe a benchmark, and of those that make its sources."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from configs.data import LinkArguments
from configs.ranges import MOST_PROCESSES, check_ranges
from utils.splits import SPLITS


@dataclass
class BuildArguments(LinkArguments):
    """One benchmark from one segmentation dataset. The defaults are the paper's choices (Sec. 3)."""

    source_dir: str = field(default="../Ref-AVSBench", metadata={"help": "Dataset in the layout of Ref-AVSBench."})
    output_dir: str = field(
        default="../MQ-RAVSBench", metadata={"help": "Where the benchmark is written; new or empty."}
    )
    seed: int = field(default=0, metadata={"help": "Decides every random choice: the same seed gives the same files."})
    train_per_video: int = field(
        default=1, metadata={"help": "Most expressions about a training video, each about another object."}
    )
    test_per_video: int = field(
        default=2, metadata={"help": "Most expressions about a test video, each about another object."}
    )
    num_train_videos: int = field(default=0, metadata={"help": "Training videos; 0: all."})
    num_test_s_videos: int = field(default=0, metadata={"help": "Videos of the seen test split; 0: all."})
    num_test_u_videos: int = field(default=0, metadata={"help": "Videos of the unseen test split; 0: all."})
    video_mode_test_s: int = field(default=60, metadata={"help": "Seen videos whose ten frames all get masks."})
    video_mode_test_u: int = field(default=40, metadata={"help": "Unseen videos whose ten frames all get masks."})
    key_frame: str = field(
        default="gt",
        metadata={
            "help": "gt: the frame with the most ground-truth objects. given: the one in column kfid. "
            "detector: the one with the most detected objects, as published.",
            "choices": ("gt", "given", "detector"),
        },
    )
    negatives: str = field(
        default="gt",
        metadata={
            "help": "Where negatives (wrong objects) come from. gt: ground truth of the video's other objects. "
            "file: --negatives_file. models: the published chain of models.",
            "choices": ("gt", "file", "models"),
        },
    )
    negatives_file: str | None = field(
        default=None,
        metadata={"help": "For --negatives file: JSON lines of uid, frame and objects (docs/benchmark.md)."},
    )
    namer_path: str | None = field(
        default=None, metadata={"help": "For --negatives models: folder of a Qwen2.5-VL model, which names objects."}
    )
    grounder_path: str | None = field(
        default=None, metadata={"help": "... of GroundingDINO, MM-GroundingDINO or Rex-Omni, which finds their boxes."}
    )
    segmenter_path: str | None = field(default=None, metadata={"help": "... of SAM2, which turns boxes into masks."})
    detector_path: str | None = field(
        default=None, metadata={"help": "For --key_frame detector: folder of OWLv2, GroundingDINO or MM-GroundingDINO."}
    )
    device: str = field(default="cuda:0", metadata={"help": "For the models. Without a GPU, the CPU is used."})
    on_bad_sample: str = field(
        default="fail",
        metadata={
            "help": "When files of a video cannot be used. fail: stop. skip: leave it out and list it in the report.",
            "choices": ("fail", "skip"),
        },
    )
    num_workers: int = field(default=os.cpu_count() or 1, metadata={"help": "Processes that make masks."})

    def __post_init__(self):
        for name in ("train_per_video", "test_per_video", "num_workers"):
            if getattr(self, name) < 1:
                raise ValueError(f"--{name}: expected at least 1, got {getattr(self, name)}")
        for name in (
            "num_train_videos",
            "num_test_s_videos",
            "num_test_u_videos",
            "video_mode_test_s",
            "video_mode_test_u",
        ):
            if getattr(self, name) < 0:
                raise ValueError(f"--{name}: expected 0 or more, got {getattr(self, name)}")
        check_ranges(self, {"num_workers": (1, MOST_PROCESSES)})
        needed = {"negatives_file": self.negatives == "file", "detector_path": self.key_frame == "detector"}
        needed |= dict.fromkeys(("namer_path", "grounder_path", "segmenter_path"), self.negatives == "models")
        for name, is_needed in needed.items():
            if is_needed and getattr(self, name) is None:
                raise ValueError(f"--{name}: expected a path, got none")
            if not is_needed and getattr(self, name) is not None:
                raise ValueError(f"--{name}: nothing of this build would read it (see --negatives and --key_frame)")


@dataclass
class MaskSpeedArguments:
    """One measurement of how fast masks are made."""

    num_masks: int = field(default=20, metadata={"help": "Ground-truth masks per resolution."})
    seed: int = field(default=0, metadata={"help": "Decides the masks."})

    def __post_init__(self):
        if self.num_masks < 1:
            raise ValueError(f"--num_masks: expected at least 1, got {self.num_masks}")


@dataclass(kw_only=True)
class MaskImportArguments(LinkArguments):
    """Pictures with masks from other datasets, brought into the layout of Ref-AVSBench."""

    output: str = field(metadata={"help": "Folder to write; new or empty. REF_AVSBENCH_DIR of the build."})
    coco: list[str] | None = field(default=None, metadata={"help": "COCO-style JSON file, or one for each split."})
    images: list[str] | None = field(default=None, metadata={"help": "Image folder of each COCO file, or of all."})
    pairs: list[str] | None = field(
        default=None, metadata={"help": "Instead of --coco: folder with images/ and masks/, or one for each split."}
    )
    split: list[str] = field(
        default_factory=lambda: ["test_s"],
        metadata={"help": "Split of each file or folder, or of all: train, test_s (seen) or test_u (unseen)."},
    )
    take_crowds: bool = field(
        default=False,
        metadata={"help": "For --coco: take annotations with iscrowd 1, too. Brush tools write theirs so."},
    )
    audio: str | None = field(
        default=None,
        metadata={"help": "Folder of sound files named like the pictures; pictures without one get silence."},
    )
    object_name: str = field(
        default="object",
        metadata={"help": "For --pairs: name of the object in masks/NAME.png, unless another one is given."},
    )

    def __post_init__(self):
        if bool(self.coco) == bool(self.pairs):
            raise ValueError(f"expected --coco or --pairs, got {'both' if self.coco else 'neither'}")
        if bool(self.coco) != bool(self.images):
            raise ValueError(f"--images: expected {'a folder with --coco' if self.coco else 'it with --coco only'}")
        if self.take_crowds and not self.coco:
            raise ValueError("--take_crowds: expected it with --coco only")
        if not self.object_name.strip():
            raise ValueError("--object_name: expected a word, got none")
        num_sources = len(self.coco or self.pairs)
        self.images = self._for_each("images", num_sources) if self.images else None
        self.split = self._for_each("split", num_sources)
        for split in self.split:
            if split not in SPLITS:
                raise ValueError(f"--split: expected train, test_s or test_u, got '{split}'")

    def _for_each(self, name: str, num_sources: int) -> list[str]:
        values = getattr(self, name)
        if len(values) not in (1, num_sources):
            raise ValueError(f"--{name}: expected 1 or {num_sources} values, one for each source, got {len(values)}")
        return values * (num_sources // len(values))


@dataclass(kw_only=True)
class DescribeArguments(LinkArguments):
    """One description of a benchmark."""

    root: str = field(
        metadata={"help": "Folder of a built or downloaded MQ-RAVSBench.", "positional": True, "metavar": "ROOT"}
    )
    output: str = field(
        default="results/describe", metadata={"help": "Folder of the tables, the IoU picture and the example sheets."}
    )
    num_sheets: int = field(default=8, metadata={"help": "Example sheets, spread over the splits; 0 makes none."})
    seed: int = field(default=0, metadata={"help": "Decides which instances get a sheet."})

    def __post_init__(self):
        if self.num_sheets < 0:
            raise ValueError(f"--num_sheets: expected 0 or more, got {self.num_sheets}")


@dataclass(kw_only=True)
class VerifyArguments(LinkArguments):
    """One verification of a benchmark."""

    root: str = field(
        metadata={"help": "Folder of a built or downloaded MQ-RAVSBench.", "positional": True, "metavar": "ROOT"}
    )
    output: str | None = field(default=None, metadata={"help": "Also write all findings to this JSON file."})
    num_workers: int = field(default=os.cpu_count() or 1, metadata={"help": "Processes that measure masks."})

    def __post_init__(self):
        if self.num_workers < 1:
            raise ValueError(f"--num_workers: expected at least 1, got {self.num_workers}")
        check_ranges(self, {"num_workers": (1, MOST_PROCESSES)})


@dataclass(kw_only=True)
class WorldArguments:
    """One small drawn world."""

    output: str = field(metadata={"help": "Folder to write; new or empty. REF_AVSBENCH_DIR of the build."})
    seed: int = field(default=0, metadata={"help": "Decides every random choice: the same seed gives the same files."})
    num_train: int = field(default=400, metadata={"help": "Training videos."})
    num_validation: int = field(default=0, metadata={"help": "Videos to choose settings on, written as split test_s."})
    num_test_s: int = field(default=60, metadata={"help": "Test videos with objects of the training's categories."})
    num_test_u: int = field(default=60, metadata={"help": "Test videos with objects of categories of their own."})
    num_workers: int = field(default=os.cpu_count() or 1, metadata={"help": "Processes that draw."})

    def __post_init__(self):
        if self.num_workers < 1:
            raise ValueError(f"--num_workers: expected at least 1, got {self.num_workers}")
        check_ranges(self, {"num_workers": (1, MOST_PROCESSES)})
        if min(self.num_videos.values()) < 0 or not any(self.num_videos.values()):
            raise ValueError(f"numbers of videos: expected 0 or more, and one at least, got {self.num_videos}")
        if self.num_validation and self.num_test_s:
            raise ValueError("--num_validation: expected a world of its own (--num_test_s 0): both are split test_s")

    @property
    def num_videos(self) -> dict[str, int]:
        """Part of the world -> number of its videos."""
        return {part: getattr(self, f"num_{part}") for part in ("train", "validation", "test_s", "test_u")}
