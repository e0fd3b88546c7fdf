"""Compares a mask's IoU, rank, action and answer text with what was measured (paper Sec. 3.2, G.3).

A fault is a pair: its kind, and a sentence. Rules about pixels are in `mask_rules`.
"""

from __future__ import annotations

from collections.abc import Iterator

from dataset.benchmark.samples import Candidate
from dataset.text.wording import IOU_SLOT, build_target
from utils.audit import normalize_action, parse_audit
from utils.mask_types import GRADED_TYPES

IOU_TOLERANCE = 1e-4
BANDS = {1: (0.85, 0.90), 2: (0.75, 0.80)}  # rank -> IoU of cutout, dilate and erode; both ends included
BAND_ACTIONS = {1: "minor revision", 2: "major revision"}
ORDERED = {"full_neg": "box overlap with the ground truth", "merge": "IoU"}  # ranked by this, highest first
MOST_OF_A_TYPE = 3  # full_neg and merge masks of one frame
ROUNDING = 1e-9  # error of a division

Fault = tuple[str, str]


def band_rank(iou: float) -> int | None:
    """The rank whose band contains this IoU; None if no band does."""
    return next((rank for rank, (low, high) in BANDS.items() if low - ROUNDING <= iou <= high + ROUNDING), None)


def expected_action(mask_type: str, iou: float) -> str | None:
    """The action for a mask of this type and measured IoU.

    None for a cutout, dilate or erode mask whose IoU is in no band.
    """
    if mask_type in GRADED_TYPES:
        return BAND_ACTIONS.get(band_rank(iou))
    if mask_type == "merge":
        return _merge_action(iou)
    return "accept" if mask_type == "perfect" else "reject"


def _merge_action(iou: float) -> str:
    if iou >= 0.9 - ROUNDING:
        return "minor revision"
    if iou >= 0.75 - ROUNDING:
        return "major revision"
    return "reject"


def label_faults(candidate: Candidate, measured: float, is_train: bool) -> Iterator[Fault]:
    """Faults of one mask whose IoU was `measured`. Training entries may leave out IoU, rank and action."""
    yield from _iou_faults(candidate, measured, is_train)
    if candidate.audit.mask_type in GRADED_TYPES:
        yield from _band_faults(candidate, measured)
    if candidate.rank is None and not is_train and candidate.audit.mask_type not in ("perfect", "null"):
        yield "rank", "rank: expected a whole number, got none"
    yield from _action_faults(candidate, measured, is_train)
    yield from _response_faults(candidate, measured, is_train)


def _iou_faults(candidate: Candidate, measured: float, is_train: bool) -> Iterator[Fault]:
    written = candidate.audit.iou
    if written is None and not is_train:
        yield "iou", f"iou_to_gt: expected {measured:.6f} as measured, got none"
    elif written is not None and not _same_iou(written, measured):
        yield "iou", f"iou_to_gt: expected {measured:.6f} as measured, got {written:.6f}"


def _band_faults(candidate: Candidate, measured: float) -> Iterator[Fault]:
    rank, mask_type = band_rank(measured), candidate.audit.mask_type
    if candidate.rank is not None and candidate.rank not in BANDS:
        yield "rank", f"rank: expected 1 or 2 for a mask of type {mask_type}, got {candidate.rank}"
    elif candidate.rank is not None and rank not in (None, candidate.rank):
        yield "rank", f"rank: expected {rank} for a measured IoU of {measured:.6f}, got {candidate.rank}"
    if rank is None:
        bands = [BANDS[candidate.rank]] if candidate.rank in BANDS else BANDS.values()
        wanted = " or ".join(f"from {low:.2f} to {high:.2f}" for low, high in bands)
        yield "band", f"measured IoU: expected {wanted} for a mask of type {mask_type}, got {measured:.6f}"


def _action_faults(candidate: Candidate, measured: float, is_train: bool) -> Iterator[Fault]:
    written = candidate.audit
    expected = expected_action(written.mask_type, measured)
    if written.action is None and is_train:
        return
    if expected and (written.action is None or normalize_action(written.action) != expected):
        said = "none" if written.action is None else f"'{written.action}'"
        yield "action", f"action: expected '{expected}' for {written.mask_type} at IoU {measured:.6f}, got {said}"


def _response_faults(candidate: Candidate, measured: float, is_train: bool) -> Iterator[Fault]:
    """Faults of the three values in a training answer. An empty place for the IoU is filled as in training."""
    if not candidate.response:
        if is_train:
            yield "response", "response: expected the answer to learn, got none"
        return
    said = parse_audit(build_target(candidate.response, candidate.audit.iou))
    is_filled_in = IOU_SLOT in candidate.response and candidate.audit.iou is not None
    if not is_filled_in and (said.iou is None or not _same_iou(said.iou, measured)):
        yield "response", f"response: expected IoU {measured:.4f} as measured, got {_or_none(said.iou)}"
    if said.mask_type != candidate.audit.mask_type:
        yield "response", f"response: expected mask type {candidate.audit.mask_type}, got {_or_none(said.mask_type)}"
    expected = expected_action(candidate.audit.mask_type, measured)
    if expected and said.action != expected:
        yield "response", f"response: expected action '{expected}', got {_or_none(said.action)}"


def rank_faults(mask_type: str, ranked: list[tuple[Candidate, float]], is_whole: bool) -> Iterator[tuple[str, Fault]]:
    """(mask name, fault) for all masks of one type in a frame.

    `ranked`: the masks, each with the number by which the type is ranked: the measured IoU, for full_neg the IoU of the
    boxes. `is_whole`: all masks of the type could be read.
    """
    if mask_type in GRADED_TYPES:
        yield from _repeated_bands(mask_type, ranked)
    if mask_type not in ORDERED:
        return
    for candidate, _ in ranked[MOST_OF_A_TYPE:]:
        text = f"expected at most {MOST_OF_A_TYPE} masks of type {mask_type} in a frame, got {len(ranked)}"
        yield candidate.mask_name, ("rank", text)
    with_rank = sorted((pair for pair in ranked if pair[0].rank is not None), key=lambda pair: pair[0].rank)
    ranks = [candidate.rank for candidate, _ in with_rank]
    if is_whole and len(ranks) == len(ranked) and ranks != list(range(1, len(ranks) + 1)):
        text = f"expected the {mask_type} masks to have the ranks 1 to {len(ranks)}, got {', '.join(map(str, ranks))}"
        yield with_rank[0][0].mask_name, ("rank", text)
    for (first, most), (second, more) in zip(with_rank, with_rank[1:], strict=False):
        if first.rank != second.rank and more > most + ROUNDING:
            text = f"{ORDERED[mask_type]}: expected at most {most:.6f} at rank {second.rank}, as at rank {first.rank}"
            yield second.mask_name, ("rank", f"{text}, got {more:.6f}")


def _repeated_bands(mask_type: str, ranked: list[tuple[Candidate, float]]) -> Iterator[tuple[str, Fault]]:
    seen: dict[int, str] = {}
    for candidate, measured in ranked:
        rank = band_rank(measured) if candidate.rank is None else candidate.rank
        if rank in seen:
            text = f"expected one {mask_type} mask of rank {rank} in a frame, got {seen[rank]} as well"
            yield candidate.mask_name, ("rank", text)
        elif rank is not None:
            seen[rank] = candidate.mask_name


def _same_iou(said: float, measured: float) -> bool:
    return abs(said - measured) <= IOU_TOLERANCE + ROUNDING


def _or_none(value) -> str:
    if value is None:
        return "none"
    return f"'{value}'" if isinstance(value, str) else f"{value:.4f}"
