"""Settings of a work list, and its policy: which masks are flagged, in which order, how many."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from utils.audit import ACTIONS
from utils.mask_types import PAPER_TYPES
from utils.settings_files import FLAG, SHARE, Closed, check_settings, many, number, one_of, whole
from utils.yaml_files import read_yaml

DEFAULT_POLICY = Path(__file__).parent / "policies" / "worklist.yaml"
FORMATS = ("coco", "yolo", "label_studio", "fiftyone", "prompts")
WORST, LEAST_CERTAIN = "worst", "least_certain"
LOCAL_FILES = "/data/local-files/?d=images/"
_FLAG_KEYS = Closed(
    {
        "expected_iou_below?": SHARE,
        "certainty_below?": SHARE,
        "types?": many(one_of(PAPER_TYPES)),
        "actions?": many(one_of(ACTIONS)),
        "contradictions?": FLAG,
        "unlike_training?": FLAG,
        "unreadable?": FLAG,
    }
)
_BUDGET_KEYS = Closed({"masks?": whole(1, 10**9), "hours?": number(0, 10**6), "seconds_each?": number(0.1, 10**6)})
_KEYS = Closed({"flag?": _FLAG_KEYS, "first?": one_of((WORST, LEAST_CERTAIN)), "budget?": _BUDGET_KEYS})


@dataclass(frozen=True)
class Flags:
    """What flags a mask; 0, empty and false flag nothing."""

    expected_iou_below: float = 0.0
    certainty_below: float = 0.0
    types: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    contradictions: bool = False
    unlike_training: bool = False
    unreadable: bool = False


@dataclass(frozen=True)
class Policy:
    """Which masks are flagged, which come `first`, and how many there is time for; None: for all."""

    flags: Flags
    first: str
    masks: int | None


def read_policy(path: str | Path) -> Policy:
    """Raises FileNotFoundError, or ValueError naming the file and the key that does not hold what it should."""
    content = read_yaml(path, "--policy")
    where = f"--policy {path}"
    if not isinstance(content, dict):
        raise ValueError(f"{where}: expected the keys flag, first and budget, got {type(content).__name__}")
    check_settings(content, _KEYS, where)
    given = {name: tuple(one) if isinstance(one, list) else one for name, one in content.get("flag", {}).items()}
    return Policy(Flags(**given), content.get("first", WORST), _most_masks(content.get("budget", {}), where))


def _most_masks(budget: dict, where: str) -> int | None:
    if "masks" in budget and len(budget) == 1:
        return budget["masks"]
    if not budget:
        return None
    if set(budget) != {"hours", "seconds_each"}:
        raise ValueError(f"{where}: budget: expected masks, or hours with seconds_each, got {', '.join(budget)}")
    found = int(budget["hours"] * 3600 / budget["seconds_each"])
    if not found:
        raise ValueError(f"{where}: budget: expected time for one mask or more, got {budget['hours']:g} hours")
    return found


@dataclass(kw_only=True)
class WorklistArguments:
    """Which masks are flagged, and what is written of them."""

    results: str = field(
        metadata={"help": "Folder of one run, or a folder with several runs' folders.", "positional": True}
    )
    output: str = field(metadata={"help": "Folder for the work list; it must be new, empty, or an earlier work list."})
    policy: str | None = field(
        default=None,
        metadata={
            "help": "YAML file of thresholds, order and budget. Default: configs/policies/worklist.yaml",
            "metavar": "FILE",
        },
    )
    marks: str | None = field(
        default=None,
        metadata={
            "help": "Marks that a report's page has saved: wrong and look again come first, right is left out.",
            "metavar": "FILE",
        },
    )
    data_dir: str | None = field(
        default=None, metadata={"help": "Folder of the benchmark. Default: the one that each run's run.json names."}
    )
    formats: list[str] = field(
        default_factory=lambda: list(FORMATS),
        metadata={"help": "What is written beside worklist.csv, frames and masks.", "choices": FORMATS},
    )
    image_prefix: str = field(
        default=LOCAL_FILES,
        metadata={"help": "For label_studio: what stands before a frame's file name in its address.", "metavar": "URL"},
    )
