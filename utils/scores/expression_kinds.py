"""Scores by kind of expression (appearance, position, size, motion, sound), which a drawn world's facts.json gives."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from utils.prediction import Prediction
from utils.scores.counts import class_scores, count_labels
from utils.text_files import read_json

SHOWN_TYPES = ("perfect", "merge", "full_neg")


def read_kinds(facts_file: str | Path) -> dict[str, str]:
    """uid -> kind, from the facts.json of a drawn world. Raises FileNotFoundError, ValueError for another file."""
    try:
        videos = read_json(facts_file)["videos"].values()
        return {uid: asked["kind"] for video in videos for uid, asked in video["referrals"].items()}
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{facts_file}: expected the facts.json of a drawn world, got another file") from error


def kind_scores(predictions: Sequence[Prediction], kinds: dict[str, str]) -> dict[str, dict]:
    """{kind: {mask type: {"f2_mask_type": percent, "num_samples": n}}} for the types that need grounding.

    As in the paper's columns, F2 is taken among the masks of one true type, where precision is 0 or 1.
    """
    scores: dict[str, dict] = {}
    for kind in dict.fromkeys(kinds.values()):
        own = [p for p in predictions if kinds.get(p.uid) == kind]
        scores[kind] = {name: _score([p for p in own if p.true.mask_type == name], name) for name in SHOWN_TYPES}
    return scores


def _score(predictions: list[Prediction], mask_type: str) -> dict:
    pairs = [(mask_type, p.said.mask_type) for p in predictions]
    f2 = class_scores(count_labels(pairs, [mask_type])[mask_type])["f2"] if pairs else None
    return {"f2_mask_type": None if f2 is None else 100 * f2, "num_samples": len(pairs)}
