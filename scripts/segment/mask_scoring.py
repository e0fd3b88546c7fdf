"""The work of scripts.segment.score: read masks and truth, score them, and write tables and a picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from configs.referring import MaskScoreArguments, ReferringArguments
from dataset.media.images import read_upright_frame, resize_mask
from dataset.media.lengths import NUM_FRAMES
from dataset.referring.expressions import Expression
from dataset.referring.layout import ReferringData
from dataset.referring.masks import MaskFolder, SoftMask
from dataset.referring.truth import REFAVS_SIZE, TGS_SIZE, TRUTH_READERS
from utils.reports.mask_sheet import ShownMask, write_mask_sheet
from utils.reports.segmentation_tables import render_scores
from utils.scores.protocols import (
    SampleScores,
    Stack,
    averages,
    batch_averages,
    batches,
    refavs_scores,
    strict_scores,
    tgs_scores,
)
from utils.whole_files import write_json, write_jsonl

SIZES = {"strict": None, "tgs": TGS_SIZE, "refavs": REFAVS_SIZE}
ReadMasks = Callable[[Expression], list[SoftMask | None]]


@dataclass
class Scored:
    """One expression with its scores, and the frames that could not be scored as they are."""

    sample: SampleScores
    without_mask: list[int] = field(default_factory=list)
    without_truth: list[int] = field(default_factory=list)
    empty_truth: int = 0

    def row(self) -> dict:
        return asdict(self.sample) | {"without_mask": self.without_mask, "without_truth": self.without_truth}


@dataclass
class ScoredSplit:
    """All expressions of one split, and what refavs says of each of its batches."""

    scored: list[Scored]
    batch_values: list[dict]


def open_data(args: ReferringArguments) -> ReferringData:
    """Raises FileNotFoundError for a folder that is not there."""
    beside, metadata = (Path(path) if path else None for path in (args.metadata_dir, args.metadata))
    return ReferringData(Path(args.data_dir), beside, args.benchmark, metadata)


def score_folder(args: MaskScoreArguments) -> dict:
    """Score a folder of masks, write scores.json, samples.jsonl and scores.png, and print the tables."""
    data, folder = open_data(args), MaskFolder(args.masks)
    output = Path(args.output_dir or f"{Path(args.masks)}_scores")
    expressions = data.expressions(args.test_name)
    splits, left_out = {}, []
    for split in args.test_name:
        rows = [expression for expression in expressions if expression.split == split]
        if args.on_missing == "leave_out":
            without = [row for row in rows if not any(folder.read(row))]
            left_out += [row.key for row in without]
            rows = [row for row in rows if row not in without]
        splits[split] = score_split(rows, folder.read, data, args.protocols, args.num_workers)
    summary = summarize(splits, args.protocols) | {"left_out": left_out}
    if len(summary["without_any_mask"]) + len(left_out) == len(expressions):
        wanted = f"{expressions[0].key}/00000.png or {expressions[0].key}.npy"
        raise ValueError(f"masks {args.masks}: expected masks such as {wanted}, got none of any expression")
    write_json(output / "scores.json", summary)
    write_jsonl(output / "samples.jsonl", (one.row() for own in splits.values() for one in own.scored))
    print(render_scores(summary))
    if args.pictures and "strict" in args.protocols:
        _write_picture(output / "scores.png", splits, expressions, folder.read, data, args.pictures)
    print(f"written: {output}")
    return summary


def score_split(
    rows: Sequence[Expression],
    read_masks: ReadMasks,
    data: ReferringData,
    protocols: Sequence[str],
    num_workers: int = 1,
) -> ScoredSplit:
    """Score the expressions of one split, in their order. Raises ValueError for a file that cannot be read."""
    work = partial(_score_batch, read_masks=read_masks, data=data, protocols=tuple(protocols))
    groups, scored, batch_values = list(batches(rows)), [], []
    with (
        tqdm(total=len(rows), desc="scoring", unit="expression", leave=False) as bar,
        ProcessPoolExecutor(num_workers) if num_workers > 1 else nullcontext() as pool,
    ):
        for own, values in (pool.map if pool else map)(work, groups):
            scored += own
            batch_values.append(values)
            bar.update(len(own))
    return ScoredSplit(scored, batch_values)


def _score_batch(
    rows: Sequence[Expression], read_masks: ReadMasks, data: ReferringData, protocols: Sequence[str]
) -> tuple[list[Scored], dict]:
    """Up to four expressions: the scores of each, and of all together as refavs has it."""
    scored, stacks = [], []
    for row in rows:
        masks = read_masks(row)
        one = _describe(row, masks, data)
        for protocol in protocols:
            stack = make_stack(masks, read_truths(data.truth_paths(row), protocol))
            if protocol == "strict":
                one.empty_truth = int((~stack.truth.any((1, 2))).sum())
                one.sample.values[protocol] = strict_scores(stack, row.is_null) if len(stack.truth) else {}
            elif protocol == "tgs":
                one.sample.values[protocol] = tgs_scores(stack, row.is_null)
            else:
                stacks.append(stack)
                one.sample.values[protocol] = refavs_scores([stack], row.is_null)
        scored.append(one)
    return scored, refavs_scores(stacks, rows[0].is_null) if stacks else {}


def _describe(row: Expression, masks: list[SoftMask | None], data: ReferringData) -> Scored:
    without_truth = [i for i, path in enumerate(data.truth_paths(row)) if not path.is_file()]
    sample = SampleScores(
        key=row.key,
        uid=row.uid,
        vid=row.vid,
        split=row.split,
        category=row.category,
        num_objects=data.num_objects(row.vid),
        is_null=row.is_null,
        is_first=row.repeat == 0,
        num_frames=len(masks) - len(without_truth),
    )
    return Scored(sample, [i for i, mask in enumerate(masks) if mask is None], without_truth)


def read_truths(paths: list[Path], protocol: str) -> list[np.ndarray | None]:
    """The true masks (H, W) bool at the protocol's size; None for a frame without one.

    Raises ValueError for masks of different sizes.
    """
    truths = [TRUTH_READERS[protocol](path) if path.is_file() else None for path in paths]
    if len({truth.shape for truth in truths if truth is not None}) > 1:
        raise ValueError(f"{paths[0].parent}: expected masks of one size, got several")
    return truths


def make_stack(masks: list[SoftMask | None], truths: list[np.ndarray | None]) -> Stack:
    """The frames that have a truth, at the truth's size. A frame without a mask has an empty one."""
    pairs = [(mask, truth) for mask, truth in zip(masks, truths, strict=True) if truth is not None]
    size = pairs[0][1].shape if pairs else (1, 1)
    own = [(mask or SoftMask.empty(size)).resized(size) for mask, _ in pairs]
    nothing = np.zeros((0, *size))
    return Stack(
        np.stack([mask.hard for mask in own]) if own else nothing.astype(bool),
        np.stack([mask.probability for mask in own]) if own else nothing.astype(np.float32),
        np.stack([truth for _, truth in pairs]) if pairs else nothing.astype(bool),
    )


def summarize(splits: dict[str, ScoredSplit], protocols: Sequence[str]) -> dict:
    """The content of scores.json: averages by protocol and split, by category, by number of objects, and gaps."""
    summary: dict = {"protocols": {}}
    for protocol in protocols:
        summary["protocols"][protocol] = {
            split: batch_averages(own.batch_values, len(own.scored))
            if protocol == "refavs"
            else averages([one.sample for one in own.scored], protocol)
            for split, own in splits.items()
        }
    everything = [one for own in splits.values() for one in own.scored]
    finer = protocols[0] if protocols[0] != "refavs" else protocols[-1]
    present = [one.sample for one in everything if not one.sample.is_null]
    summary["finer_protocol"] = finer
    summary["by_category"] = _by(present, finer, lambda sample: sample.category)
    summary["by_num_objects"] = _by(present, finer, lambda sample: sample.num_objects)
    summary["frames_with_empty_truth"] = sum(one.empty_truth for one in everything if not one.sample.is_null)
    summary["without_any_mask"] = [one.sample.key for one in everything if len(one.without_mask) == NUM_FRAMES]
    summary["frames_without_mask"] = {
        one.sample.key: one.without_mask for one in everything if 0 < len(one.without_mask) < NUM_FRAMES
    }
    summary["frames_without_truth"] = {one.sample.key: one.without_truth for one in everything if one.without_truth}
    return summary


def _by(samples: list[SampleScores], protocol: str, group: Callable[[SampleScores], object]) -> dict:
    names = sorted({group(sample) for sample in samples})
    return {str(name): averages([s for s in samples if group(s) == name], protocol) for name in names}


def _write_picture(
    path: Path,
    splits: dict[str, ScoredSplit],
    expressions: list[Expression],
    read_masks: ReadMasks,
    data: ReferringData,
    count: int,
) -> None:
    """Samples spread evenly from the best to the worst J&F; each at the frame where its object is largest."""
    by_key = {expression.key: expression for expression in expressions}
    scored = [one for own in splits.values() for one in own.scored if "J&F" in one.sample.values["strict"]]
    ranked = sorted(scored, key=lambda one: -one.sample.values["strict"]["J&F"])
    places = np.unique(np.linspace(0, len(ranked) - 1, min(count, len(ranked))).round().astype(int)) if ranked else []
    shown = [one for place in places if (one := _shown(ranked[place], by_key, read_masks, data))]
    if shown:
        write_mask_sheet(path, f"{len(shown)} of {len(ranked)} samples, from the best to the worst", shown)


def _shown(one: Scored, by_key: dict, read_masks: ReadMasks, data: ReferringData) -> ShownMask | None:
    expression = by_key[one.sample.key]
    paths = data.truth_paths(expression)
    truths = {i: TRUTH_READERS["strict"](paths[i]) for i in range(len(paths)) if i not in one.without_truth}
    frame = max(truths, key=lambda i: truths[i].sum())
    picture_path = data.frame_path(expression.vid, frame)
    if not picture_path.is_file():
        return None
    picture = read_upright_frame(picture_path)
    size = picture.shape[:2]
    mask = (read_masks(expression)[frame] or SoftMask.empty(size)).resized(size).hard
    values = one.sample.values["strict"]
    return ShownMask(expression.text, picture, mask, resize_mask(truths[frame], size), expression.key, _words(values))


def _words(values: dict) -> str:
    return f"J {values['J']:.2f}, F {values['F']:.2f}, boundary F {values['boundary_F']:.2f}"
