"""Results of an evaluation as it writes them, without an auditor: answers and their probabilities are made up."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from dataset.benchmark.annotations import read_test
from utils.audit import ACTIONS, Audit, render_audit
from utils.certainty.shares import FORMS
from utils.mask_types import PAPER_TYPES
from utils.whole_files import write_json, write_jsonl

NAME = "image_mask-all_rank-all"


def write_finished_run(folder: Path, root: Path, said_of: Callable[[str, Audit], tuple[Audit, float]]) -> Path:
    """A run over the test_s masks of a benchmark. `said_of`: mask name, truth -> what is said, probability of it."""
    rows = []
    for sample in read_test(root, "test_s", "image").samples:
        for candidate in sample.candidates:
            true = candidate.audit
            said, chance = said_of(Path(candidate.mask_name).stem, true)
            row = {"uid": sample.uid, "vid": sample.vid, "frame_idx": sample.frame_idx, "rank": candidate.rank}
            row |= {"mask_type": true.mask_type, "iou_to_gt": true.iou, "action": true.action}
            row |= {"mask_path": candidate.mask_name, "raw_output": answer_text(said), "shares": shares(said, chance)}
            rows.append(row)
    run = folder / f"test_s_{NAME}"
    run.mkdir(parents=True)
    write_jsonl(run / f"predictions_{NAME}.jsonl", rows)
    settings = {"test_name": "test_s", "eval_mode": "image", "data_dir": str(root), "auditor_dir": "an auditor"}
    write_json(run / "run.json", {"settings": settings})
    return run


def answer_text(said: Audit) -> str:
    """An answer that says this, with a sentence about the dog (and the cat) of another audit where none fits."""
    fits = (said.mask_type, said.action) in FORMS and said.iou is not None
    text = render_audit(said if fits else Audit("merge", 0.5, "reject"), "dog", "cat")
    for tag in ("mask_type", "action", "iou"):
        value = getattr(said, tag)
        shown = "?" if value is None else f"{value:.4f}" if tag == "iou" else value
        text = re.sub(f"<{tag}>.*?</{tag}>", f"<{tag}> {shown} </{tag}>", text)
    return text


def shares(said: Audit, chance: float) -> dict:
    """Probabilities of an answer whose form, type and action have this one; the rest is shared by all others."""
    written = f"{said.iou or 0:.4f}".replace(".", "")
    digits = [[1.0 if int(digit) == number else 0.0 for number in range(10)] for digit in written]
    form = FORMS.index((said.mask_type, said.action)) if (said.mask_type, said.action) in FORMS else None
    return {
        "forms": _spread(form, len(FORMS), chance) if form is not None else [0.0] * len(FORMS),
        "form": form,
        "types": _spread(PAPER_TYPES.index(said.mask_type or "merge"), len(PAPER_TYPES), chance),
        "actions": _spread(ACTIONS.index(said.action or "reject"), len(ACTIONS), chance),
        "digits": digits,
        "written": written,
    }


def _spread(place: int, count: int, chance: float) -> list[float]:
    return [chance if number == place else (1 - chance) / (count - 1) for number in range(count)]
