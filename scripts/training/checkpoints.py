"""Training checkpoints: written whole, confirmed before a run goes on from one, and tidied up.

A checkpoint is written to the folder SCRATCH of the run. When every process has written its files, a manifest lists
them all, everything is on the disk, and the folder is renamed to checkpoint-N. So a folder of that name is complete.
What a killed run leaves in SCRATCH is removed at the next start.

A run goes on from the newest checkpoint whose files are those of its manifest. One that was damaged later is passed
over. It is kept as torn-checkpoint-N until the run has saved a checkpoint at that step or after it.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
from pathlib import Path

from transformers import TrainingArguments

from scripts.ranks import on_first_rank
from utils.finished import TRAINER_STATE
from utils.manifest import MANIFEST, check_manifest, has_its_files, read_facts, seal_folder
from utils.whole_files import flush

logger = logging.getLogger("training")

SCRATCH = ".unfinished"
CHECKPOINT, TORN = re.compile(r"checkpoint-(\d+)"), re.compile(r"torn-checkpoint-(\d+)(?:-\d+)?")
NEEDED = (TRAINER_STATE, "scheduler.pt")  # without these there is nothing to go on from


def checkpoint_to_resume(args: TrainingArguments) -> str | None:
    """The checkpoint that --resume_from_checkpoint names, or the newest whole one in `output_dir`, or None.

    Every process must call this. The first one checks all files and tidies up. Raises FileNotFoundError or ValueError
    if the named checkpoint is not whole.
    """

    def look() -> str | None:
        _remove(Path(args.output_dir) / SCRATCH)
        if args.resume_from_checkpoint is None:
            return find_resumable(args.output_dir)
        confirm(Path(args.resume_from_checkpoint))
        return args.resume_from_checkpoint

    return on_first_rank(look)


def find_resumable(output_dir: str | Path) -> str | None:
    """The newest checkpoint that its manifest confirms, or None. Newer ones are renamed, with a warning."""
    for _, checkpoint in reversed(_numbered(output_dir, CHECKPOINT)):
        try:
            confirm(checkpoint)
            return str(checkpoint)
        except (OSError, ValueError) as error:
            place = checkpoint.with_name(f"torn-{checkpoint.name}")
            _remove(place)
            checkpoint.rename(place)
            logger.warning("passed over %s, now %s: %s", checkpoint, place.name, error)
    return None


def confirm(checkpoint: Path) -> None:
    """Raises FileNotFoundError or ValueError unless all files are there as they were written."""
    if not checkpoint.is_dir():
        raise FileNotFoundError(f"checkpoint {checkpoint}: no such folder")
    facts = read_facts(checkpoint)
    if facts is None:
        origin = "it was written by an earlier version, which this one does not go on from, or damaged"
        raise ValueError(f"{checkpoint}: expected {MANIFEST}, got none: {origin}")
    check_manifest(checkpoint)
    if missing := [name for name in NEEDED if name not in facts["files"]]:
        raise ValueError(f"{checkpoint}: expected the Trainer's state, got a folder without {', '.join(missing)}")


def is_finished(checkpoint: str, training_args: TrainingArguments) -> bool:
    """Whether the checkpoint is at the last step of the run."""
    state = json.loads((Path(checkpoint) / TRAINER_STATE).read_text())
    if training_args.max_steps > 0:
        return state["global_step"] >= training_args.max_steps
    return state["epoch"] >= training_args.num_train_epochs


def saved_settings(checkpoint: str | Path) -> dict:
    """The settings that the checkpoint was trained with, as `store` was given them."""
    return (read_facts(checkpoint) or {}).get("settings", {})


def store(staged: Path, step: int, settings: dict) -> Path:
    """Seals a checkpoint that lies finished in SCRATCH, gives it its place in the run's folder, and returns that."""
    seal_folder(staged, step=step, settings=settings)
    place = staged.parent.parent / staged.name
    if place.exists():  # the run went on from an older checkpoint, by --resume_from_checkpoint
        place.rename(staged.with_name(f"replaced-{place.name}"))
    staged.rename(place)
    flush(place.parent)
    _remove(staged.parent)
    return place


def keep_newest(newest: Path, limit: int | None, best: str | None) -> None:
    """Removes the torn checkpoints that `newest` makes useless, and the oldest others if there are more than `limit`.

    `newest` is the one just written; it and the `best` one always stay. Torn ones are removed before whole ones.
    """
    folder, step = newest.parent, int(newest.name.rpartition("-")[2])
    for number, torn in _numbered(folder, TORN):
        if number <= step:
            _remove(torn)
    if not limit or limit < 0:
        return
    protected = {newest, Path(best)} if best else {newest}
    others = [path for _, path in _numbered(folder, CHECKPOINT) if path not in protected]
    others.sort(key=has_its_files)  # torn ones first, each kind from old to new
    for path in others[: max(len(others) + len(protected) - limit, 0)]:
        doomed = folder / SCRATCH / path.name
        doomed.parent.mkdir(exist_ok=True)
        path.rename(doomed)  # at once, so that a kill leaves no part of it under its name
        _remove(doomed.parent)


def _numbered(folder: str | Path, pattern: re.Pattern) -> list[tuple[int, Path]]:
    """(N, path) of the folders whose names fit, from small N to large."""
    found = ((pattern.fullmatch(path.name), path) for path in Path(folder).glob("*checkpoint-*"))
    return sorted((int(match[1]), path) for match, path in found if match and path.is_dir())


def _remove(path: Path) -> None:
    if path.is_symlink():
        path.unlink()
    else:
        shutil.rmtree(path, ignore_errors=True)
