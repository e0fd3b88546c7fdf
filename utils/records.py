"""JSON lines of generated answers, read into Predictions and written; and which of them a filter keeps.

No other module knows the keys of these files. A record is what is true of a mask plus the raw text; a row of a
predictions file adds what the parser read in the text. Scoring is left to `utils.scores`.
"""

from __future__ import annotations

import json
import logging
import math
import re
import sys
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from utils.audit import Audit, canonical_mask_type, normalize_mask_type
from utils.mask_types import MASK_TYPES
from utils.prediction import Prediction
from utils.reading.reply import STRICT, read_audit
from utils.repeats import Repeats
from utils.text_files import unrepeated

logger = logging.getLogger(__name__)

EXTRA_FIELDS = ("vid", "frame_idx", "rank", "mask_path", "generated_ids", "shares", "clip_distance")
# Our own predictions (and the published code's) name the ground truth differently; both can be scored again.
_RECORD_NAME = {"gt_mask_type": "mask_type", "gt_iou": "iou_to_gt", "gt_action": "action"}


def _is_text(value: Any) -> bool:
    return type(value) is str  # JSON gives exact types


def _is_int_or_text(value: Any) -> bool:
    return type(value) is int or type(value) is str


def _is_number(value: Any) -> bool:
    return type(value) is int or (type(value) is float and math.isfinite(value))


def _is_rank(value: Any) -> bool:
    return _is_number(value) and value == int(value)


def _is_iou(value: Any) -> bool:
    # Rounding may give ratios just over 1.
    return _is_number(value) and -1e-6 <= value <= 1 + 1e-6


_FIELD_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {  # field -> what is right, in a function and in words
    "uid": (_is_int_or_text, "an integer or a string"),
    "mask_type": (_is_text, "a string"),
    "iou_to_gt": (_is_iou, "a number in [0, 1]"),
    "action": (_is_text, "a string"),
    "raw_output": (_is_text, "a string"),
    "vid": (_is_int_or_text, "an integer or a string"),
    "frame_idx": (_is_int_or_text, "an integer or a string"),
    "rank": (_is_rank, "a whole number"),
    "mask_path": (_is_text, "a string"),
    "generated_ids": (lambda value: isinstance(value, list), "a list of token ids"),
    "shares": (lambda value: isinstance(value, dict), "an object"),
    "clip_distance": (_is_number, "a number"),
}
# The types of which every value is right: most values need no call.
_RIGHT_TYPES = {"uid": {int, str}, "vid": {int, str}, "frame_idx": {int, str}, "rank": {int}, "generated_ids": {list}}
_RIGHT_TYPES |= dict.fromkeys(("mask_type", "action", "raw_output", "mask_path"), {str}) | {"shares": {dict}}
_KEYS = {name: (name, _RIGHT_TYPES.get(name, set()) | {type(None)}, *rule) for name, rule in _FIELD_RULES.items()}
_KEYS |= {key: _KEYS[name] for key, name in _RECORD_NAME.items()}
# Inside a text its quotes would be written \", so only the key fits.
_IDS = re.compile(rb'"generated_ids": ?\[[0-9, ]*\]')
_decode = json.JSONDecoder(object_pairs_hook=unrepeated).decode
_CORE_FIELDS = ("uid", "mask_type", "iou_to_gt", "action", "raw_output")


def read_predictions(path: str | Path, reader: str = STRICT, texts: bool = True) -> list[Prediction]:
    """The records of a JSON lines file, in order; fields may be null or missing, unknown fields are left out.

    Accepts raw records (uid, vid, frame_idx, mask_type, iou_to_gt, action, raw_output, rank, mask_path, generated_ids)
    and predictions files (gt_mask_type, gt_iou, gt_action, raw_output, ...), whose raw text is then parsed anew.
    `reader` as in `read_reply`.
    Without `texts`, raw_output, generated_ids and shares are forgotten once they are read: a record takes 0.4 kB.
    A record that says the same of the same mask as an earlier one is left out, with a warning. Raises ValueError naming
    file, line, what was expected and what was found; also if two records say different things of one mask.
    Records that may be about one mask are kept, with a warning.
    """
    repeats, kept = Repeats(), []
    for record in _each_record(Path(path), texts):
        repeats.add(record)
        kept.append(_to_prediction(record, reader, texts))
    first = repeats.find()
    if doubtful := repeats.doubtful(first):
        logger.warning(
            "%s: %d records may be about the same masks as earlier ones, and count: for example records %d and %d (%s)",
            *(path, len(doubtful), doubtful[number := min(doubtful)] + 1, number + 1, _named(kept[number])),
        )
    return _without_copies(path, kept, repeats, first) if first else kept


def stream_predictions(path: str | Path, reader: str = STRICT) -> Iterator[Prediction]:
    """As `read_predictions`, one by one, for a file that it has read before."""
    repeats = Repeats()
    for record in _each_record(Path(path)):
        repeats.add(record)
    first = repeats.find()
    numbered = enumerate(_each_record(Path(path)))
    return (_to_prediction(record, reader) for number, record in numbered if number not in first)


def _each_record(path: Path, ids: bool = True) -> Iterator[dict]:
    """Without `ids`, generated_ids are left out before the line is read: they are half of it."""
    if not path.is_file():
        raise ValueError(f"{path}: expected a JSON lines file, found {'a folder' if path.is_dir() else 'no such file'}")
    name = str(path)
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            line = line.removeprefix(BOM_UTF8) if number == 1 else line
            if not ids:
                line = _IDS.sub(b'"generated_ids": null', line)
            if line.strip():
                yield _read_line(line, f"{name}, line {number}")


def _without_copies(path: str | Path, kept: list[Prediction], repeats: Repeats, first: dict[int, int]) -> list:
    names = list(dict.fromkeys(_named(kept[number]) for number in first))
    named = "; ".join(names[:3]) + ("; ..." if names[3:] else "")
    if other := [number for number, earlier in first.items() if not repeats.are_copies(number, earlier)]:
        raise ValueError(
            f"{path}: expected one record of each mask, got {len(other)} more that say something else, for example "
            f"records {first[other[0]] + 1} and {other[0] + 1} (uid {kept[other[0]].uid}, {kept[other[0]].mask_path})"
        )
    logger.warning("%s: %d records are copies of others and left out: %s", path, len(first), named)
    return [prediction for number, prediction in enumerate(kept) if number not in first]


def _named(prediction: Prediction) -> str:
    return f"uid {prediction.uid}, frame {prediction.frame_idx}, {prediction.mask_path or 'no mask_path'}"


def _read_line(content: bytes, where: str) -> dict:
    try:
        line = content.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"{where}: expected UTF-8 text, got other bytes ({error.reason})") from None
    try:
        row = _decode(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{where}: expected one JSON object, got {_excerpt(line)} ({error})") from None
    if not isinstance(row, dict):
        raise ValueError(f"{where}: expected one JSON object, got {_excerpt(line)}")
    renamed, doubtful, same = _plan(tuple(row), tuple(map(type, row.values())))
    for key in doubtful:
        _, _, is_right, expected = _KEYS[key]
        if not is_right(value := row[key]):
            raise ValueError(f"{where}: expected {key} to be {expected} or null, got {_excerpt(json.dumps(value))}")
    for key, other in same:
        if row[key] != row[other]:
            raise ValueError(f"{where}: expected {key} and {other} to be the same, got {_excerpt(line)}")
    record = row if renamed is None else {field: row[key] for key, field in renamed}
    if record.keys().isdisjoint(_CORE_FIELDS):
        raise ValueError(f"{where}: expected at least one of {', '.join(_CORE_FIELDS)}, got {_excerpt(line)}")
    return record


@lru_cache(256)
def _plan(keys: tuple[str, ...], types: tuple[type, ...]) -> tuple[tuple | None, tuple[str, ...], tuple]:
    """Of rows with these keys and types of values: (key, field) of what is kept, or None if all is kept as it is; the
    keys whose values the type alone does not settle; and pairs of keys that mean the same.
    """
    known = tuple((key, _KEYS[key][0]) for key in keys if key in _KEYS)
    doubtful = [key for key, kind in zip(keys, types, strict=True) if key in _KEYS and kind not in _KEYS[key][1]]
    is_plain = known == tuple((key, key) for key in keys)
    same = tuple((field, key) for key, field in known if key != field and field in keys)
    return None if is_plain else known, tuple(doubtful), same


def _excerpt(text: str) -> str:
    text = text.strip()
    return text if len(text) <= 80 else text[:77] + "..."


def raw_record(
    *,
    uid: str,
    vid: str,
    frame_idx: int | str,
    true: Audit,
    rank: int | None,
    mask_path: str,
    raw_output: str,
    generated_ids: list[int],
    shares: dict | None = None,
    clip_distance: float | None = None,
) -> dict:
    """A record of one answer, as `to_predictions` reads it. `true` is what is true of the mask."""
    record = {
        "uid": uid,
        "vid": vid,
        "frame_idx": frame_idx,
        "mask_type": true.mask_type,
        "rank": rank,
        "mask_path": mask_path,
        "iou_to_gt": true.iou,
        "action": true.action,
        "raw_output": raw_output,
        "generated_ids": generated_ids,
    }
    known = {"shares": shares, "clip_distance": clip_distance}
    return record | {name: value for name, value in known.items() if value is not None}


def to_predictions(records: Iterable[dict], reader: str = STRICT) -> list[Prediction]:
    """Raw records (see `read_predictions`) with their text parsed; `reader` as in `read_reply`."""
    return [_to_prediction(record, reader) for record in records]


def _to_prediction(record: dict, reader: str, texts: bool = True) -> Prediction:
    get = record.get
    return Prediction(
        uid=_shared(get("uid")),
        true=Audit(_shared(get("mask_type")), get("iou_to_gt"), _shared(get("action"))),
        said=read_audit(get("raw_output"), reader),
        raw_output=get("raw_output") if texts else None,
        vid=_shared(get("vid")),
        frame_idx=get("frame_idx"),
        rank=get("rank"),
        mask_path=get("mask_path"),
        generated_ids=get("generated_ids") if texts else None,
        shares=get("shares") if texts else None,
        clip_distance=get("clip_distance"),
        extra_fields=_extra_fields(tuple(record)),
    )


def _shared(value: Any) -> Any:
    """Equal texts as one: most of them come again and again."""
    return sys.intern(value) if type(value) is str else value


@lru_cache(64)
def _extra_fields(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(field for field in EXTRA_FIELDS if field in names)


def prediction_row(prediction: Prediction) -> dict:
    """A line of a predictions file: the published fields in their order, then EXTRA_FIELDS that the record had."""
    row = {
        "uid": prediction.uid,
        "gt_mask_type": prediction.true.mask_type,
        "pred_mask_type": prediction.said.mask_type,
        "gt_iou": prediction.true.iou,
        "pred_iou": prediction.said.iou,
        "gt_action": prediction.true.action,
        "pred_action": prediction.said.action,
        "raw_output": prediction.raw_output,
    }
    return row | {field: getattr(prediction, field) for field in prediction.extra_fields}


def normalize_filters(mask_type_filter: str | None, mask_rank_filter: int | None) -> tuple[str, int]:
    """Filters as results name them: no type (or "none") means "all", no rank means -1 (all ranks)."""
    mask_type = normalize_mask_type(mask_type_filter) or "all"
    return "all" if mask_type == "none" else mask_type, -1 if mask_rank_filter is None else int(mask_rank_filter)


@lru_cache(4096)
def passes_filters(mask_type: str | None, rank: int | None, mask_type_filter: str, mask_rank_filter: int) -> bool:
    """Whether a run with these (normalised) filters would have asked about such a mask; the loader's rule.

    Types are compared in the loader's spelling ("cutoff" is cutout, "gt" is perfect). The rank filter (> 0) spares
    perfect masks, which have no rank. An unknown type or rank is not known to be outside, so it passes.
    """
    mask_type = canonical_mask_type(mask_type)
    if mask_type_filter != "all" and mask_type in set(MASK_TYPES) - {canonical_mask_type(mask_type_filter)}:
        return False
    return mask_rank_filter <= 0 or mask_type == "perfect" or rank in (None, mask_rank_filter)
