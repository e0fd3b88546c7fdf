"""Answers for Ref-Thinker to learn, made from ground truth; and references to nothing, made from other expressions."""

from __future__ import annotations

import csv
import io
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dataset.benchmark.metadata import CSV_COLUMNS
from dataset.media.images import read_mask
from dataset.referring.expressions import NULL_SPLIT, SPLIT_NAMES, Expression, read_expressions
from dataset.referring.layout import ReferringData
from dataset.text.think_wording import build_thought
from utils.text_files import read_json

NAME_ONLY = "name_only"  # rows of a drawn world that only name an object
FACTS_FILE = "facts.json"
NULL_VIDEO = "null_c-"


@dataclass(frozen=True)
class KnownObject:
    """An object of a video: its name, what it looks like, and whether it sounds (None: unknown)."""

    name: str
    description: str
    sounds: bool | None = None


Videos = dict[str, dict[int, KnownObject]]  # vid -> fid -> object


def known_objects(data: ReferringData) -> Videos:
    """The objects of all videos: from facts.json of a drawn world, else their most frequent names in the metadata."""
    facts = data.root / FACTS_FILE
    if facts.is_file():
        return _drawn_objects(read_json(facts)["videos"])
    names: dict[tuple[str, int], Counter] = defaultdict(Counter)
    for row in read_expressions(data.metadata_path(), (*SPLIT_NAMES, NAME_ONLY)):
        if not row.is_null:
            names[row.vid, row.fid][row.category.replace("-", " ")] += 1
    videos: Videos = defaultdict(dict)
    for (vid, fid), counts in sorted(names.items()):
        name = min(counts, key=lambda own: (-counts[own], own))
        videos[vid][fid] = KnownObject(name, f"the {name}")
    return videos


def _drawn_objects(videos: dict) -> Videos:
    return {
        vid: {
            fid: KnownObject(own["category"], f"the {own['colour']} {own['category']}", own["sound"] is not None)
            for fid, own in enumerate(video["objects"])
        }
        for vid, video in videos.items()
    }


def null_expressions(rows: Sequence[Expression], videos: Videos, share: float, seed: int) -> list[Expression]:
    """References to nothing: for a share of the rows, an expression of another video that names what is not there.

    Those of test videos get the split test_n.
    """
    rng, found, numbers = random.Random(seed), [], Counter()
    naming = [row for row in rows if not row.is_null and row.category.replace("-", " ") in row.text.lower()]
    for row in rows:
        if row.is_null or rng.random() >= share:
            continue
        there = {own.name for own in videos.get(row.vid, {}).values()}
        away = [other for other in naming if other.category.replace("-", " ") not in there]
        if away:
            numbers[row.vid] += 1
            uid = f"{NULL_VIDEO}{row.vid}_null_{numbers[row.vid]}"
            split = NULL_SPLIT if row.split.startswith("test") else row.split
            found.append(Expression(uid, split, 0, rng.choice(away).text))
    return found


def make_answers(rows: Iterable[Expression], data: ReferringData, videos: Videos, with_boxes: bool) -> dict[str, dict]:
    """uid -> {"output": answer}, as the published file has it. Raises ValueError for a row about an unknown object."""
    answers = {}
    for row in rows:
        objects = videos.get(data.media_vid(row) if row.is_null else row.vid, {})
        own = None if row.is_null else objects.get(row.fid)
        if own is None and not row.is_null:
            raise ValueError(f"{row.uid}: expected object {row.fid} among those of its video, got {sorted(objects)}")
        knows_sounds = bool(objects) and all(one.sounds is not None for one in objects.values())
        sounding = [one.description for one in objects.values() if one.sounds] if knows_sounds else None
        answers[row.uid] = {
            "output": build_thought(
                own.name if own else None,
                own.description if own else None,
                [one.description for fid, one in objects.items() if row.is_null or fid != row.fid],
                sounding,
                _place(row, data) if with_boxes else None,
            )
        }
    return answers


def metadata_text(rows: Iterable[Expression]) -> str:
    """The five published columns, with a header."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS[:5])
    writer.writerows([row.vid, row.uid, row.split, row.fid, row.text] for row in rows)
    return text.getvalue()


def _place(row: Expression, data: ReferringData) -> tuple[int, str]:
    """The frame in which the object is largest, and its box there as shares of width and height."""
    paths = [path for path in data.truth_paths(row) if path.is_file()]
    masks: dict[Path, np.ndarray] = {path: read_mask(path) for path in paths}
    if row.is_null or not any(mask.any() for mask in masks.values()):
        return 0, "null"
    path = max(masks, key=lambda one: masks[one].sum())
    ys, xs = np.nonzero(masks[path])
    height, width = masks[path].shape
    box = (xs.min() / width, ys.min() / height, (xs.max() + 1) / width, (ys.max() + 1) / height)
    return int(path.stem), f"[{', '.join(f'{value:.2f}' for value in box)}]"
