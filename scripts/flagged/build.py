"""The work of scripts.worklist."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from configs.worklist import DEFAULT_POLICY, WorklistArguments, read_policy
from scripts.flagged.choosing import Flagged, in_order, judged
from scripts.flagged.coco import write_coco
from scripts.flagged.fiftyone_samples import write_fiftyone
from scripts.flagged.label_studio import write_label_studio
from scripts.flagged.listed import Listed, write_pictures
from scripts.flagged.marks import read_marks
from scripts.flagged.table import TABLE, write_prompts, write_table
from scripts.flagged.yolo import write_yolo
from scripts.reporting.audits import mask_key, read_results
from utils.whole_files import name_beside, swap_folder

WRITERS = {"coco": write_coco, "yolo": write_yolo, "fiftyone": write_fiftyone, "prompts": write_prompts}


def build_worklist(args: WorklistArguments) -> str:
    """Write the list, and return what is in it as text. An earlier list in its place is replaced as a whole.

    Raises FileNotFoundError, ValueError naming what cannot be read; then nothing is written.
    """
    folder = Path(args.output)
    _check_place(folder)
    policy = read_policy(args.policy or DEFAULT_POLICY)
    marks = read_marks(args.marks) if args.marks else {}
    runs = read_results(Path(args.results), args.data_dir)
    _check_marks(marks, {mask_key(prediction) for run in runs for prediction in run.predictions}, args)
    found = judged(runs, policy.flags, marks)
    wanted = in_order(found, policy)
    made = name_beside(folder.resolve())
    try:
        listed = write_pictures(wanted[: policy.masks], made)
        _write_formats(listed, made, args)
        if folder.exists():
            swap_folder(made, folder.resolve())
        else:
            made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return _about(len(found), wanted, listed)


def _write_formats(listed: Sequence[Listed], folder: Path, args: WorklistArguments) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in args.formats:
        if name == "label_studio":
            write_label_studio(listed, folder, args.image_prefix)
        else:
            WRITERS[name](listed, folder)
    write_table(listed, folder)


def _check_place(folder: Path) -> None:
    """Raises ValueError for a folder with files that are not a work list's."""
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"--output {folder}: expected a folder, got a file")
    if folder.exists() and any(folder.iterdir()) and not (folder / TABLE).is_file():
        raise ValueError(f"--output {folder}: expected a new or empty folder, or an earlier work list, got other files")


def _check_marks(marks: dict[tuple, str], known: set[tuple], args: WorklistArguments) -> None:
    """Raises ValueError for marks of masks that these results do not have: they belong to another report."""
    if foreign := [key for key in marks if key not in known]:
        got = f"{len(foreign)} of other masks, for example {foreign[0][2]} of uid {foreign[0][0]}"
        raise ValueError(f"--marks {args.marks}: expected marks of masks in {args.results}, got {got}")


def _about(total: int, wanted: Sequence[Flagged], listed: Sequence[Listed]) -> str:
    reasons = Counter(reason for one in wanted for reason in one.reasons)
    lines = [f"{len(wanted):,} of {total:,} audits are flagged; {len(listed):,} masks are in the list"]
    lines += [f"  {count:>7,}  {reason}" for reason, count in reasons.most_common()]
    empty = sum(one.box() is None for one in listed)
    return "\n".join(lines + ([f"{empty:,} masks are empty: YOLO has no line for them"] if empty else []))
