"""Settings of repairing masks: who audits them, what makes new ones, and by which policies they are replaced."""

from __future__ import annotations

from dataclasses import dataclass, field

from configs.referring import ReferringArguments
from configs.runtime import AnsweringArguments

POLICIES = ("full_neg", "reject", "geometric", "best_of")
RULES = ("majority", "belief", "worst")
SEGMENTERS = ("grounded_sam2", "sam3", "clipseg")
PROTOCOLS = ("strict", "tgs")
MOST_ROUNDS, MOST_OBJECTS = 10, 20
REPAIRABLE = ("test_s", "test_u", "val", "train")


@dataclass(kw_only=True)
class ImproveArguments(ReferringArguments, AnsweringArguments):
    """One repair of the masks of a segmentation method."""

    masks: str = field(metadata={"help": "Folder of masks to repair: <uid>/0000<i>.png, or logits <uid>.npy, .npz."})
    auditor: str = field(
        metadata={"help": "Our folder of an auditor, the released pair's folder, or one checkpoint-N of it."}
    )
    output_dir: str | None = field(
        default=None, metadata={"help": "Where everything goes. Default: <MASKS>/../<name of MASKS>_repaired"}
    )
    segmenter: list[str] = field(
        default_factory=lambda: ["grounded_sam2"],
        metadata={
            "help": "What makes new masks: grounded_sam2, sam3, clipseg. With several, best_of has the masks of all; "
            "the other policies take the first one's."
        },
    )
    segmenter_path: list[str] = field(
        metadata={"help": "For each --segmenter, in the same order: folder of SAM2, of SAM3 or of CLIPSeg."}
    )
    grounder_path: str | None = field(
        default=None, metadata={"help": "For grounded_sam2: folder of GroundingDINO or MM-GroundingDINO."}
    )
    box_threshold: float = field(default=0.1, metadata={"help": "For grounded_sam2: least score of a box."})
    sam2_path: str | None = field(
        default=None,
        metadata={
            "help": "Folder of SAM2, which makes masks of dilated and eroded ones anew, prompted by these masks and by "
            "their boxes. Default: the mask is narrowed or widened."
        },
    )
    policy: list[str] = field(
        default_factory=lambda: list(POLICIES),
        metadata={
            "help": "full_neg: as published, masks of a wrong object are made anew with the name of the target that "
            "the audit gives. reject: all rejected masks. geometric: cutout, dilate, erode and merge masks are changed "
            "where the next audit is better. best_of: of all candidates, the one with the highest expected IoU."
        },
    )
    answers: str | None = field(
        default=None, metadata={"help": "Ref-Thinker's answers: its names become candidates of best_of, too."}
    )
    frames: str = field(
        default="key",
        metadata={
            "help": "Which frames are audited. key: the key frame of the metadata, or else the frame in which the mask "
            "is largest. all. A number K: every K-th frame, from the first one."
        },
    )
    rule: str = field(
        default="majority",
        metadata={
            "help": "How the verdicts of frames make that of a video. majority: the type that most frames have. "
            "belief: the type with the greatest probability, averaged over frames. worst: the frame with the lowest "
            "expected IoU decides.",
            "choices": RULES,
        },
    )
    rounds: int = field(
        default=1, metadata={"help": "How often best_of makes new candidates from the audit of its best mask so far."}
    )
    objects: int = field(
        default=4, metadata={"help": "How many objects that one text may mean become candidates of best_of."}
    )
    protocols: list[str] = field(
        default_factory=lambda: list(PROTOCOLS), metadata={"help": "Ways of scoring: strict, tgs (docs/repair.md)."}
    )
    facts: str | None = field(
        default=None, metadata={"help": "facts.json of a drawn world: also score by kind of expression."}
    )
    pictures: int = field(default=4, metadata={"help": "Samples shown of those that became better, and of worse ones."})
    seed: int = field(default=0, metadata={"help": "Decides the row of random choices."})

    def __post_init__(self):
        ReferringArguments.__post_init__(self)
        AnsweringArguments.__post_init__(self)
        if outside := [name for name in self.test_name if name not in REPAIRABLE]:
            got = f"expected some of {', '.join(REPAIRABLE)}, which have an object to find, got {', '.join(outside)}"
            raise ValueError(f"--test_name: {got}")
        for name, known in (("policy", POLICIES), ("segmenter", SEGMENTERS), ("protocols", PROTOCOLS)):
            given = getattr(self, name)
            if not given or set(given) - set(known) or len(set(given)) < len(given):
                raise ValueError(f"--{name}: expected some of {', '.join(known)}, got {' '.join(given) or 'none'}")
        if len(self.segmenter) != len(self.segmenter_path):
            got = f"{len(self.segmenter)} and {len(self.segmenter_path)}"
            raise ValueError(f"--segmenter_path: expected one folder for each --segmenter, got {got}")
        if ("grounded_sam2" in self.segmenter) != (self.grounder_path is not None):
            raise ValueError("--grounder_path: expected a folder with --segmenter grounded_sam2, and none without it")
        self._check_numbers()

    def _check_numbers(self) -> None:
        if self.frames not in ("key", "all") and not (self.frames.isascii() and self.frames.isdigit()):
            raise ValueError(f"--frames: expected key, all or a number, got {self.frames!r}")
        ranges = {"rounds": (1, MOST_ROUNDS), "objects": (1, MOST_OBJECTS), "pictures": (0, 100)}
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"--{name}: expected a number from {low} to {high}, got {getattr(self, name)}")
        if self.frames.isdigit() and not 1 <= int(self.frames) <= 10:
            raise ValueError(f"--frames: expected key, all or a number from 1 to 10, got {self.frames}")
        if not 0 <= self.box_threshold < 1:
            raise ValueError(f"--box_threshold: expected a number from 0 to below 1, got {self.box_threshold}")
