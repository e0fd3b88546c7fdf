"""Pictures of repaired samples: the first mask with its verdict, and the mask that was taken instead."""

from __future__ import annotations

from pathlib import Path

from dataset.media.images import read_upright_frame, resize_mask
from dataset.referring.truth import TRUTH_READERS
from scripts.repair.cases import Repair
from scripts.repair.outcomes import Outcome
from scripts.repair.policies import Judged
from utils.reports.mask_sheet import ShownMask, write_mask_sheet


def write_pictures(repair: Repair, outcomes: list[Outcome], output: Path) -> None:
    """<output>/<policy>.png: the samples whose J rose most, and those whose J fell most; before and after."""
    count = repair.args.pictures
    for policy in repair.args.policy if count else ():
        changed = sorted((one for one in outcomes if one.is_changed(policy)), key=lambda one: -_gain(one, policy))
        better = [one for one in changed if _gain(one, policy) > 0][:count]
        worse = [one for one in reversed(changed) if _gain(one, policy) < 0][:count]
        shown = [mask for one in (*better, *worse) for mask in _before_and_after(repair, one, policy)]
        if shown:
            title = f"{policy}: {len(better)} samples that became better, {len(worse)} that became worse; the truth's"
            write_mask_sheet(output / f"{policy}.png", f"{title} outline is yellow", shown)


def _gain(outcome: Outcome, policy: str) -> float:
    return outcome.truths[outcome.choices[policy].name] - outcome.truths[outcome.judged[0].name]


def _before_and_after(repair: Repair, outcome: Outcome, policy: str) -> list[ShownMask]:
    first, taken, row = outcome.judged[0], outcome.candidate(policy), outcome.case.row
    frame = outcome.case.frames[0]
    path = repair.data.truth_paths(row)[frame]
    picture = read_upright_frame(repair.data.frame_path(repair.data.media_vid(row), frame))
    size = picture.shape[:2]
    truth = resize_mask(TRUTH_READERS["strict"](path), size) if path.is_file() else picture[..., 0] < 0

    def shown(judged: Judged, title: str) -> ShownMask:
        mask = repair.shop.store.read(row.key, judged.candidate)[frame].resized(size).hard
        words = f"J {outcome.truths[judged.name]:.2f}, expected {judged.expected:.2f}: {judged.verdict.said.mask_type}"
        return ShownMask(title, picture, mask, truth, f"target: {judged.verdict.target}", words)

    return [shown(first, row.text), shown(taken, f"after: {taken.name}")]
