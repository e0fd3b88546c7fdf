"""Writes MQ-RAVSBench's split files, and reads them into AuditSamples.

This module knows the layout of the files, `entries` that of a single entry, `metadata` that of metadata.csv.
`validation` checks that images and sounds exist and can be decoded.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

from dataset.benchmark.agreement import frame_doubts, frames_of, repeated_masks, row_doubts
from dataset.benchmark.entries import BadEntry, EntryReader, Wants
from dataset.benchmark.metadata import read_metadata
from dataset.benchmark.samples import Benchmark, Problem
from utils.audit import canonical_mask_type
from utils.mask_types import MASK_TYPES
from utils.splits import TRAIN, split_file_name
from utils.text_files import read_json, unrepeated

logger = logging.getLogger(__name__)

META_DIR = "train_test_meta_files"


def split_text(protocol: str, entries: list[tuple[str, dict]]) -> str:
    """A split file of (uid, entry) pairs; `entries.sample_entry` makes the entries."""
    content = dict(entries) if protocol in ("train", "video") else [entry for _, entry in entries]
    return json.dumps(content, indent=1, allow_nan=False) + "\n"


def read_train(root: Path) -> Benchmark:
    """The training split: one sample per video, all its masks as candidates.

    Raises FileNotFoundError or ValueError when metadata.csv or the split file cannot be read at all.
    """
    return _read_split(Path(root), TRAIN, TRAIN, lambda mask_type, rank: True)


def read_test(
    root: Path, split: str, eval_mode: str, mask_type_filter: str = "all", mask_rank_filter: int = -1
) -> Benchmark:
    """A test split, one sample per frame. `split` is test_s or test_u, `eval_mode` image or video.

    The type filter keeps one mask type; the rank filter (above 0) one rank of every type but perfect. Masks that the
    filters leave out are not checked. Raises as `read_train`, and ValueError for a filter that is no mask type.
    """
    wanted = canonical_mask_type(mask_type_filter)
    if wanted != "all" and wanted not in MASK_TYPES:
        raise ValueError(f"mask type filter: expected all or one of {', '.join(MASK_TYPES)}, got '{mask_type_filter}'")
    if wanted != mask_type_filter.strip().lower():
        logger.warning("mask type filter '%s' is read as %s", mask_type_filter, wanted)

    def wants(mask_type: str, rank: int | None) -> bool:
        rank_fits = mask_rank_filter <= 0 or mask_type == "perfect" or rank == mask_rank_filter
        return rank_fits and wanted in ("all", mask_type)

    benchmark = _read_split(Path(root), split, eval_mode, wants)
    ranks = {candidate.rank for sample in benchmark.samples for candidate in sample.candidates}
    if mask_rank_filter > 0 and mask_rank_filter not in ranks:
        logger.warning("mask rank filter: no mask has rank %d", mask_rank_filter)
    return benchmark


def _read_split(root: Path, split: str, protocol: str, wants: Wants) -> Benchmark:
    if not root.is_dir():
        raise FileNotFoundError(f"benchmark folder {root}: no such folder (set MQ_RAVSBENCH_DIR or --data_dir)")
    csv_path, json_path = root / META_DIR / "metadata.csv", root / META_DIR / split_file_name(split, protocol)
    benchmark = Benchmark(root, files=[csv_path, json_path])
    rows = read_metadata(csv_path, benchmark, split)
    seen: set[str] = set()
    for uid, entry in read_entries(json_path):
        if uid in seen:
            benchmark.problems.append(Problem(uid, f"{json_path.name}: expected each uid once, got it twice"))
        elif uid not in rows:
            benchmark.problems.append(Problem(uid, f"{json_path.name}: metadata.csv does not know this uid"))
        elif rows[uid].split != split:
            benchmark.passed_over[f"metadata.csv puts it in split '{rows[uid].split}'"] += 1
        else:
            _add_samples(benchmark, EntryReader(benchmark, rows[uid], entry, protocol, wants))
        seen.add(uid)
    missing = sum(row.split == split and uid not in seen for uid, row in rows.items())
    if missing:
        benchmark.passed_over[f"in metadata.csv only, no masks in {json_path.name}"] += missing
    return benchmark


def read_entries(path: Path) -> Iterator[tuple[str, dict]]:
    """(uid, entry) of a split file: a list of entries, or an object with the uids as keys (repeated keys are kept)."""
    for position, (uid, entry) in enumerate(_read_pairs(path)):
        if not isinstance(entry, dict) or not (uid or entry.get("uid")):
            raise ValueError(f"{path}: entry {position}: expected an object with a uid, got {str(entry)[:60]!r}")
        yield str(entry.get("uid") or uid), entry


class _Pairs(list):
    """A JSON object as its list of (key, value), so that a key given twice is seen."""


def _read_pairs(path: Path) -> list[tuple[str | None, object]]:
    """(key, entry) pairs; a list's entries have no key. Raises ValueError naming the file."""
    content = read_json(path, _Pairs)
    if isinstance(content, list):
        keyed = content if isinstance(content, _Pairs) else [(None, entry) for entry in content]
        try:
            return [(key, _plain(entry)) for key, entry in keyed]
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path}: expected JSON, got something else ({error})") from None
    raise ValueError(f"{path}: expected a list or an object, got {type(content).__name__}")


def _plain(value):
    if isinstance(value, _Pairs):
        return unrepeated([(key, _plain(item)) for key, item in value])
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _add_samples(benchmark: Benchmark, reader: EntryReader) -> None:
    try:
        samples = list(reader.samples())
    except BadEntry as error:
        benchmark.problems.append(Problem(reader.row.uid, str(error)))
        return
    benchmark.samples += [sample for sample in samples if sample.candidates]
    row, protocol = reader.row, reader.protocol
    doubts = [
        *row_doubts(row, reader.entry, protocol),
        *(text for sample in samples for text in repeated_masks(sample)),
    ]
    doubts += [text for frame in frames_of(reader.entry) for text in frame_doubts(row, frame, protocol)]
    benchmark.doubts += [f"{row.uid}: {text}" for text in doubts]
    if not any(sample.candidates for sample in samples):
        benchmark.passed_over["without any mask of this run"] += 1
