"""Settings of referring segmentation: what is segmented, with which models, and how masks are scored."""

from __future__ import annotations

from dataclasses import dataclass, field

ALL_SPLITS = ("train", "val", "test_s", "test_u", "test_n")


@dataclass(kw_only=True)
class ReferringArguments:
    """The dataset: expressions about objects of videos."""

    data_dir: str = field(metadata={"help": "Folder with media, gt_mask and, for null references, media_cross."})
    test_name: list[str] = field(
        default_factory=lambda: ["test_s", "test_u"],
        metadata={"help": "Splits: test_s (seen), test_u (unseen), test_n (null), val, train.", "metavar": "SPLIT"},
    )
    benchmark: str = field(
        default="refavs",
        metadata={
            "help": "Whose expressions: refavs reads metadata.csv or RefAVSBench_metadata.csv, r2avs reads "
            "R2AVSBench_metadata.csv.",
            "choices": ("refavs", "r2avs"),
        },
    )
    metadata_dir: str | None = field(
        default=None, metadata={"help": "Another folder where the metadata may lie (R2AVSBench)."}
    )
    metadata: str | None = field(default=None, metadata={"help": "The file of the metadata itself."})

    def __post_init__(self):
        if unknown := [name for name in self.test_name if name not in ALL_SPLITS]:
            raise ValueError(f"--test_name: expected some of {', '.join(ALL_SPLITS)}, got {', '.join(unknown)}")


@dataclass(kw_only=True)
class MaskScoreArguments(ReferringArguments):
    """One scoring of the masks of a segmentation method."""

    masks: str = field(
        metadata={
            "help": "Folder of masks: <uid>/0000<i>.png, or logits as <uid>.npy or <uid>.npz.",
            "positional": True,
            "metavar": "MASKS",
        }
    )
    output_dir: str | None = field(
        default=None, metadata={"help": "Where the scores go. Default: <MASKS>/../<name of MASKS>_scores"}
    )
    on_missing: str = field(
        default="empty",
        metadata={
            "help": "An expression without any mask. empty: counts as empty masks. leave_out: is not scored. Either "
            "way it is listed.",
            "choices": ("empty", "leave_out"),
        },
    )
    protocols: list[str] = field(
        default_factory=lambda: ["strict", "tgs", "refavs"],
        metadata={"help": "Ways of scoring: strict, tgs, refavs (docs/repair.md)."},
    )
    pictures: int = field(default=12, metadata={"help": "Samples shown in scores.png, from the best to the worst."})
    num_workers: int = field(default=1, metadata={"help": "Processes that read and score."})

    def __post_init__(self):
        super().__post_init__()
        known, got = ("strict", "tgs", "refavs"), " ".join(self.protocols) or "none"
        if not self.protocols or set(self.protocols) - set(known):
            raise ValueError(f"--protocols: expected some of {', '.join(known)}, got {got}")
        for name, low in (("pictures", 0), ("num_workers", 1)):
            if getattr(self, name) < low:
                raise ValueError(f"--{name}: expected at least {low}, got {getattr(self, name)}")
