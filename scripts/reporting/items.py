"""The data of a report's gallery: a script that the page loads."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict

from dataset.benchmark.uids import object_of
from scripts.reporting.audits import Shown, is_right, mask_key
from scripts.reporting.pictures import Pictures
from utils.audit import ACTIONS, Audit, normalize_action
from utils.certainty.belief import Belief
from utils.certainty.contradictions import contradictions
from utils.formatting import without_tags
from utils.mask_types import PAPER_TYPES
from utils.prediction import Prediction


def data_script(audits: Sequence[Shown], beliefs: Sequence[Belief | None], media: Sequence[Pictures]) -> str:
    """A script that sets AUDITS. JSON keeps every sign of the data inside of strings.

    The JSON is a string itself: a browser parses that faster than the same as a part of the script.
    """
    items = [_item(n, *one) for n, one in enumerate(zip(audits, beliefs, media, strict=True))]
    masks = repr([(one.run, mask_key(one.prediction)) for one in audits])
    content = {
        "key": hashlib.sha256(masks.encode()).hexdigest()[:16],  # marks belong to these masks
        "types": PAPER_TYPES,
        "actions": ACTIONS,
        "items": items,
    }
    text = json.dumps(content, allow_nan=False, separators=(",", ":"))  # ASCII
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"const AUDITS = JSON.parse('{escaped}');\n"


def _item(number: int, audit: Shown, belief: Belief | None, media: Pictures) -> dict:
    prediction, sample = audit.prediction, audit.sample
    said, true = prediction.said, prediction.true
    known = None not in (said.iou, true.iou)
    return {
        "n": number,
        "run": audit.run,
        "split": audit.split,
        "category": object_of(str(sample.uid)) if audit.split else None,
        "uid": prediction.uid,
        "vid": str(sample.vid),
        "frame": prediction.frame_idx,
        "mask": prediction.mask_path,
        "expression": sample.expression,
        "when": _when(audit),
        "carried": _carried(audit),
        "said": _audit(said),
        "true": _audit(Audit(true.mask_type, true.iou, normalize_action(true.action))),
        "text": without_tags(prediction.raw_output or ""),
        "right": audit.is_right if true.mask_type else None,
        "error": round(abs(said.iou - true.iou), 6) if known else None,
        "contradictions": contradictions(said),
        "unlike": prediction.clip_distance,
        "belief": belief and _belief(belief),
        "others": [_other(name, said) for name, said in audit.others.items()],
        "media": asdict(media),
    }


def _when(audit: Shown) -> str | None:
    """The mask's frame or moment."""
    at = audit.own.at if audit.own else None
    return f"at {at:g} s" if at is not None else None if audit.frame is None else f"frame {audit.frame}"


def _carried(audit: Shown) -> list[str]:
    """What was shown of the clip of an own mask, and what its job carried through."""
    if audit.own is None:
        return []
    given = {"shown": audit.own.shown, **audit.own.carried}
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}
    return [f"{name}: {text}" for name, text in texts.items() if given[name] not in (None, "")]


def _audit(audit: Audit) -> dict:
    return {"type": audit.mask_type, "iou": audit.iou, "action": audit.action}


def _other(name: str, prediction: Prediction) -> dict:
    right = is_right(prediction) if prediction.true.mask_type else None
    return _audit(prediction.said) | {"name": name, "text": without_tags(prediction.raw_output or ""), "right": right}


def _belief(belief: Belief) -> dict:
    return {
        "types": [round(belief.types[name], 4) for name in PAPER_TYPES],
        "actions": [round(belief.actions[name], 4) for name in ACTIONS],
        "iou": belief.iou and round(belief.iou, 4),
        "interval": belief.interval,
    }
