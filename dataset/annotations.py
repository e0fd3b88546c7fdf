"""MQ-RAVSBench's metadata.csv and split files, read into AuditSamples.

All JSON keys and CSV columns are known here and nowhere else. Whether the files that are named exist and can be
decoded is left to `validation`.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dataset.samples import AuditSample, Benchmark, Candidate, Problem
from utils.audit import ACTIONS, MASK_TYPES, canonical_mask_type, normalize_action
from utils.records import passes_filters
from utils.tokens import SPECIAL_TOKENS

NUM_FRAMES = 10
META_DIR = "train_test_meta_files"
CSV_COLUMNS = ("vid", "uid", "split", "fid", "exp", "kfid")


@dataclass(frozen=True)
class CsvRow:
    vid: str
    uid: str
    split: str
    fid: int | str
    exp: str
    kfid: int | str


def read_train(root: Path) -> Benchmark:
    """The training split: one sample per video, all its masks as candidates.

    Raises FileNotFoundError or ValueError when metadata.csv or the split file cannot be read at all.
    """
    return _read_split(Path(root), "train", "train", "train_audit_only_filtered.json")


def read_test(
    root: Path, split: str, eval_mode: str, mask_type_filter: str = "all", mask_rank_filter: int = -1
) -> Benchmark:
    """A test split, one sample per frame. `split` is test_s or test_u, `eval_mode` image or video.

    The type filter keeps one mask type; the rank filter (above 0) one rank of every type but perfect.
    Raises as `read_train`, and ValueError for a filter that is no mask type.
    """
    wanted = canonical_mask_type(mask_type_filter)
    if wanted != "all" and wanted not in MASK_TYPES:
        raise ValueError(f"mask type filter: expected all or one of {', '.join(MASK_TYPES)}, got '{mask_type_filter}'")
    benchmark = _read_split(Path(root), split, eval_mode, f"{split}_{eval_mode}_filtered.json")
    samples = (
        sample.keeping(lambda c: passes_filters(c.mask_type, c.rank, wanted, mask_rank_filter))
        for sample in benchmark.samples
    )
    benchmark.samples = [sample for sample in samples if sample.candidates]
    return benchmark


def _read_split(root: Path, split: str, protocol: str, file_name: str) -> Benchmark:
    if not root.is_dir():
        raise FileNotFoundError(f"benchmark folder {root}: no such folder (set MQ_RAVSBENCH_DIR or --data_dir)")
    csv_path, json_path = root / META_DIR / "metadata.csv", root / META_DIR / file_name
    benchmark = Benchmark(root, files=[csv_path, json_path])
    rows = _read_metadata(csv_path, benchmark, split)
    seen: set[str] = set()
    for uid, entry in _read_entries(json_path):
        if uid in seen:
            benchmark.problems.append(Problem(uid, f"{json_path.name}: expected each uid once, got it twice"))
        elif uid not in rows:
            benchmark.problems.append(Problem(uid, f"{json_path.name}: metadata.csv does not know this uid"))
        elif rows[uid].split != split:
            benchmark.passed_over[f"metadata.csv puts it in split '{rows[uid].split}'"] += 1
        else:
            _add_samples(benchmark, rows[uid], entry, protocol)
        seen.add(uid)
    missing = sum(row.split == split and uid not in seen for uid, row in rows.items())
    if missing:
        benchmark.passed_over[f"in metadata.csv only, no masks in {json_path.name}"] += missing
    return benchmark


def _read_metadata(path: Path, benchmark: Benchmark, split: str) -> dict[str, CsvRow]:
    """metadata.csv by uid. A header row is optional; columns after the sixth are ignored."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; expected columns {','.join(CSV_COLUMNS)}")
    rows: dict[str, CsvRow] = {}
    with path.open(newline="", encoding="utf-8-sig") as lines:
        for number, cells in enumerate(csv.reader(lines), start=1):
            if not cells or (number == 1 and [c.strip().lower() for c in cells[:3]] == list(CSV_COLUMNS[:3])):
                continue
            where = f"metadata.csv line {number}"
            if len(cells) < len(CSV_COLUMNS):
                uid = cells[1] if len(cells) > 1 else "(no uid)"
                text = f"{where}: expected {len(CSV_COLUMNS)} columns, got {len(cells)}"
                benchmark.problems.append(Problem(uid, text))
                continue
            vid, uid, row_split, fid, _, kfid = (cell.strip() for cell in cells[: len(CSV_COLUMNS)])
            row = CsvRow(vid, uid, row_split, _int_or_text(fid), cells[4], _int_or_text(kfid))
            if row.uid in rows and split in (row.split, rows[row.uid].split):
                benchmark.problems.append(Problem(row.uid, f"{where}: expected each uid once, got it twice"))
                continue
            rows[row.uid] = row
    return rows


def _read_entries(path: Path) -> Iterator[tuple[str, dict]]:
    """(uid, entry) of a split file: a list of entries, or an object with the uids as keys (repeated keys are kept)."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        content = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_Pairs)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: expected JSON, got something else ({error})") from None
    if isinstance(content, _Pairs):
        pairs = [(uid, entry) for uid, entry in content]
    elif isinstance(content, list):
        pairs = [(None, entry) for entry in content]
    else:
        raise ValueError(f"{path}: expected a list or an object, got {type(content).__name__}")
    for position, (uid, entry) in enumerate(pairs):
        entry = _plain(entry)
        if not isinstance(entry, dict) or not (uid or entry.get("uid")):
            raise ValueError(f"{path}: entry {position}: expected an object with a uid, got {str(entry)[:60]!r}")
        yield str(entry.get("uid") or uid), entry


class _Pairs(list):
    """A JSON object as its list of (key, value), so that a key given twice is seen."""


def _plain(value):
    if isinstance(value, _Pairs):
        return {key: _plain(item) for key, item in value}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _add_samples(benchmark: Benchmark, row: CsvRow, entry: dict, protocol: str) -> None:
    try:
        benchmark.samples += list(_EntryReader(benchmark, row, entry, protocol).samples())
    except _BadEntry as error:
        benchmark.problems.append(Problem(row.uid, str(error)))


class _BadEntry(ValueError):
    """The whole uid cannot be used."""


class _EntryReader:
    """Reads the samples of one uid; what is wrong with single masks goes to `benchmark.problems`."""

    def __init__(self, benchmark: Benchmark, row: CsvRow, entry: dict, protocol: str):
        self.benchmark, self.row, self.entry, self.protocol = benchmark, row, entry, protocol
        # Training derives the vid from the uid and ignores the CSV's (as published); tests use the CSV's.
        from_uid = row.uid.rsplit("_", 2)[0]
        self.vid = from_uid if protocol == "train" else row.vid or from_uid
        self.media = self._inside(Path("media") / self.vid)

    def samples(self) -> Iterator[AuditSample]:
        if self.protocol == "video":
            frames = self.entry.get("frames") or []
            frame_paths = [self._inside(frame["image_path"]) for frame in frames if frame.get("image_path")]
            video = tuple(frame_paths[:NUM_FRAMES]) if len(frame_paths) >= NUM_FRAMES else self._media_frames()
            for frame in frames:
                yield self._sample(frame, video, frame_idx=frame.get("frame"))
        else:
            yield self._sample(self.entry, self._media_frames(), frame_idx=self.row.fid)

    def _sample(self, entry: dict, video: tuple[Path, ...], frame_idx: int | str | None) -> AuditSample:
        expression = self.row.exp or str(self.entry.get("exp") or "")
        if reserved := [token for token in SPECIAL_TOKENS if token in expression.lower()]:
            raise _BadEntry(f"expression: expected plain words, got the reserved {', '.join(reserved)}")
        return AuditSample(
            uid=self.row.uid,
            vid=self.vid,
            expression=expression,
            frame_idx=frame_idx,
            frame_path=self._frame_path(entry),
            video_paths=video,
            audio_path=self._audio_path(),
            candidates=tuple(self._candidates(entry)),
            protocol=self.protocol,
        )

    def _media_frames(self) -> tuple[Path, ...]:
        return tuple(self.media / "frames" / f"{t}.jpg" for t in range(NUM_FRAMES))

    def _audio_path(self) -> Path:
        if self.row.uid.startswith("null_"):
            return self._inside(Path("media_cross") / self.vid) / "audio.wav"
        return self.media / "audio.wav"

    def _frame_path(self, entry: dict) -> Path:
        if self.protocol != "train" and entry.get("image_path"):
            return self._inside(entry["image_path"])
        choices = (self.row.kfid, entry.get("kfid"), entry.get("frame"))
        key_frame = next((k for k in choices if k not in (None, "")), None)
        if not isinstance(key_frame, int):
            raise _BadEntry(f"metadata.csv: kfid: expected a frame number, got {key_frame!r}")
        return self.media / "frames" / f"{key_frame}.jpg"

    def _candidates(self, entry: dict) -> Iterator[Candidate]:
        for type_name, raw in self._raw_candidates(entry):
            try:
                yield self._candidate(type_name, raw)
            except _BadEntry as error:
                path = raw.get("mask_path") if isinstance(raw, dict) else raw
                self.benchmark.problems.append(Problem(self.row.uid, str(error), Path(str(path))))

    def _raw_candidates(self, entry: dict) -> Iterator[tuple[str, dict | str]]:
        """In the published order: perfect, the partial errors as listed, full_neg, null."""
        if entry.get("gt_mask_path"):
            yield "perfect", entry["gt_mask_path"]
        for type_name, items in (entry.get("part_neg_masks") or {}).items():
            yield from ((type_name, item) for item in items or [])
        yield from (("full_neg", item) for item in entry.get("full_neg_masks") or [])
        yield from (("null", item) for item in entry.get("null_masks") or [])

    def _candidate(self, type_name: str, raw: dict | str) -> Candidate:
        raw = {"mask_path": raw} if isinstance(raw, str) else raw
        if not isinstance(raw, dict) or not raw.get("mask_path"):
            raise _BadEntry(f"{type_name}: expected an object with a mask_path, got {str(raw)[:60]!r}")
        where, mask_type = raw["mask_path"], canonical_mask_type(type_name)
        if mask_type not in MASK_TYPES:
            raise _BadEntry(f"{where}: mask type: expected one of {', '.join(MASK_TYPES)}, got '{type_name}'")
        action = self._action(mask_type, raw)
        if action is not None and normalize_action(action) not in ACTIONS:
            raise _BadEntry(f"{where}: action: expected one of {', '.join(ACTIONS)}, got '{action}'")
        return Candidate(
            mask_path=self._inside(where),
            mask_name=str(where),
            mask_type=mask_type,
            iou=self._iou(mask_type, raw),
            action=action,
            rank=_int_or_none(raw.get("rank")),
            response=raw.get("response"),
        )

    def _iou(self, mask_type: str, raw: dict) -> float | None:
        """IoU with the ground truth; a perfect mask has 1.0 by definition in tests and by default in training."""
        value = raw.get("iou_to_gt")
        if mask_type == "perfect" and (self.protocol != "train" or value is None):
            return 1.0
        if value is None:
            return None
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not (0 <= value <= 1):
            raise _BadEntry(f"{raw['mask_path']}: iou_to_gt: expected a number from 0 to 1, got {value!r}")
        return float(value)

    def _action(self, mask_type: str, raw: dict) -> str | None:
        if self.protocol != "train" and mask_type in ("perfect", "full_neg"):
            return "accept" if mask_type == "perfect" else "reject"
        default = {"perfect": "accept", "full_neg": "reject", "null": "reject"}.get(mask_type)
        return raw.get("action") or default

    def _inside(self, path: str | Path) -> Path:
        """The path under the data root. Links inside the root may point anywhere; `..` and foreign paths may not."""
        root = Path(os.path.normpath(self.benchmark.root.absolute()))
        full = Path(os.path.normpath(root / path))
        if not full.is_relative_to(root):
            raise _BadEntry(f"{path}: expected a path inside {root}, got one that leaves it")
        return full


def _int_or_text(cell: str) -> int | str:
    value = _int_or_none(cell)
    return cell if value is None else value


def _int_or_none(cell) -> int | None:
    try:
        return int(cell)
    except (TypeError, ValueError):
        return None
