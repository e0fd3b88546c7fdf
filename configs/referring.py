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


@dataclass(kw_only=True)
class SegmentArguments(ReferringArguments):
    """Masks of what expressions mean."""

    output_dir: str = field(metadata={"help": "Folder of the masks, <uid>/0000<i>.png."})
    segmenter: str = field(
        default="grounded_sam2",
        metadata={"help": "Which models make the masks.", "choices": ("grounded_sam2", "sam3", "clipseg")},
    )
    segmenter_path: str = field(metadata={"help": "Folder of SAM2 (for grounded_sam2), of SAM3 or of CLIPSeg."})
    grounder_path: str | None = field(
        default=None, metadata={"help": "For grounded_sam2: folder of GroundingDINO or MM-GroundingDINO."}
    )
    prompt: str = field(
        default="s_object",
        metadata={
            "help": "The words that the segmenter gets. s_object, f_object: the names in --answers. expression: the "
            "expression itself.",
            "choices": ("s_object", "f_object", "expression"),
        },
    )
    answers: str | None = field(
        default=None, metadata={"help": "Ref-Thinker's answers, inference_results.jsonl; lines of uid, ref, predict."}
    )
    match_published: bool = field(
        default=False,
        metadata={
            "help": "For grounded_sam2: feed and choose as the released scripts do, mistakes included, and write "
            "their result file beside the masks. For comparing numbers. Takes one split."
        },
    )
    box_threshold: float = field(default=0.1, metadata={"help": "For grounded_sam2: least score of a box."})
    one_region: bool = field(
        default=False,
        metadata={
            "help": "For clipseg: the best connected region of the heat map alone, because an expression means one "
            "object. By default all of it."
        },
    )
    track: bool = field(
        default=False,
        metadata={
            "help": "For grounded_sam2: take the best box of all ten frames and let SAM2's video model follow its "
            "object through the others. By default each frame has a box of its own."
        },
    )
    soft_masks: bool = field(default=False, metadata={"help": "Also write soft masks, <uid>/soft/0000<i>.png."})
    device: str = field(default="cuda:0", metadata={"help": "cuda:N or cpu; the CPU stands in where there is no GPU."})

    def __post_init__(self):
        super().__post_init__()
        if (self.segmenter == "grounded_sam2") != (self.grounder_path is not None):
            raise ValueError(
                "--grounder_path: expected a folder for --segmenter grounded_sam2, and none for the others"
            )
        if self.match_published and (self.segmenter != "grounded_sam2" or len(self.test_name) != 1):
            raise ValueError("--match_published: expected --segmenter grounded_sam2 and one split as --test_name")
        if self.track and (self.segmenter != "grounded_sam2" or self.match_published):
            raise ValueError("--track: expected --segmenter grounded_sam2 without --match_published")
        needs_answers = self.prompt != "expression" or (self.match_published and self.benchmark == "refavs")
        if needs_answers and self.answers is None:
            raise ValueError(f"--answers: expected a file for --prompt {self.prompt}, got none")
        if not 0 <= self.box_threshold < 1:
            raise ValueError(f"--box_threshold: expected a number from 0 to below 1, got {self.box_threshold}")
