"""One answer of an auditor beside what is true of its mask: what all scores are counted from."""

from __future__ import annotations

from dataclasses import dataclass

from utils.audit import Audit


@dataclass(slots=True)  # a frozen one takes three times as long to make, and there may be a million
class Prediction:
    """One audited mask. Any field may be None, since files of other programs leave things out.

    `true` is the ground truth as the file spells it, `said` what was read in `raw_output`, the generated text;
    `generated_ids` are its token ids, and `shares` the record of `utils.certainty.shares.Shares`. `clip_distance` says
    how far the clip is from those of training (`utils.certainty.known_clips`). `extra_fields` names the optional fields
    that the record had, with or without a value: these are written again, and no others.
    """

    uid: int | str | None
    true: Audit
    said: Audit
    raw_output: str | None
    vid: int | str | None = None
    frame_idx: int | str | None = None
    rank: float | None = None
    mask_path: str | None = None
    generated_ids: list[int] | None = None
    shares: dict | None = None
    clip_distance: float | None = None
    extra_fields: tuple[str, ...] = ()
