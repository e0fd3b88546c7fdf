"""JSON lines of generated answers, read into Predictions and written; and which of them a filter keeps.

Only this module and `record_lines` know the keys of these files. A record is what is true of a mask plus the raw text;
a row of a predictions file adds what the parser read in the text. Scoring is left to `utils.scores`.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from utils.audit import Audit, canonical_mask_type, normalize_mask_type
from utils.mask_types import MASK_TYPES
from utils.prediction import Prediction
from utils.reading.reply import STRICT, read_audit
from utils.record_lines import WHOLE, Span, each_record
from utils.record_parts import Part, read_in_parts
from utils.repeats import Repeats

logger = logging.getLogger(__name__)

EXTRA_FIELDS = ("vid", "frame_idx", "rank", "mask_path", "generated_ids", "shares", "clip_distance")


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

    def read(span: Span) -> Part:
        part = Part([], Repeats(span.start))
        for record in each_record(Path(path), texts, span):
            part.repeats.add(record)
            part.predictions.append(_to_prediction(record, reader, texts))
        return part

    kept, repeats = read(WHOLE) if texts else read_in_parts(Path(path), read)
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
    for record in each_record(Path(path)):
        repeats.add(record)
    first = repeats.find()
    numbered = enumerate(each_record(Path(path)))
    return (_to_prediction(record, reader) for number, record in numbered if number not in first)


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
