"""metadata.csv of a segmentation dataset: one row says one expression about one object of one video.

Which rows a benchmark can use is decided here, and every other row is kept by name with the reason. The pictures and
sounds that belong to a row are left to `source`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dataset.benchmark.metadata import CSV_COLUMNS, CsvRow, csv_lines, metadata_text
from dataset.benchmark.uids import is_null, object_of, uid_parts
from dataset.media.lengths import NUM_FRAMES
from utils.splits import SPLITS
from utils.tokens import reserved_tokens
from utils.whole_files import write_text

MAX_NAME_BYTES = 240  # file systems allow 255; the rest is for the endings of temporary files
NUM_SOURCE_COLUMNS = 5  # kfid, the sixth, is optional
NAME_ONLY = "name_only"  # split of a row that only gives an object its name; no benchmark takes it


@dataclass(frozen=True)
class Referral:
    """One expression about one object of one video. `fid` numbers the object, `kfid` the key frame if it is given."""

    vid: str
    uid: str
    split: str
    fid: int
    expression: str
    kfid: int | None = None

    @property
    def target_object(self) -> str:
        """The object's name as the uid has it: "<vid>_hair-dryer_2" -> "hair-dryer"."""
        return object_of(self.uid)


@dataclass
class Metadata:
    """The content of metadata.csv. `left_out`: reason -> uids of rows that cannot be used."""

    referrals: list[Referral] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)
    object_names: dict[tuple[str, int], str] = field(default_factory=dict)  # (vid, fid) -> name, from every split

    def leave_out(self, reason: str, uid: str) -> None:
        self.left_out.setdefault(reason, []).append(uid)


def read_referrals(path: Path) -> Metadata:
    """The rows of train, test_s and test_u that a benchmark can use, in file order, and the reasons for all others.

    Columns vid,uid,split,fid,exp and optionally kfid; a header row is optional, columns after the sixth are ignored.
    Raises FileNotFoundError, or ValueError when the file is no such table.
    """
    metadata, usable = Metadata(), []
    names: dict[tuple[str, int], Counter] = defaultdict(Counter)
    for line, cells in _rows(path):
        split = cells[2].strip() if len(cells) > 2 else ""
        try:
            referral = _referral(cells)
            names[referral.vid, referral.fid][referral.target_object] += 1
            reason = None
        except ValueError as error:
            reason = str(error)
        if len(cells) >= NUM_SOURCE_COLUMNS and split not in SPLITS:
            reason = f"split '{split}', expected one of {', '.join(SPLITS)}"
        if reason is None:
            usable.append(referral)
        else:
            uid = cells[1].strip() if len(cells) > 1 else ""
            metadata.leave_out(reason, uid or f"(line {line})")
    metadata.referrals = list(_unrepeated(usable, metadata))
    metadata.object_names = {key: min(named, key=lambda name: (-named[name], name)) for key, named in names.items()}
    return metadata


def write_metadata(path: Path, referrals: Iterable[Referral]) -> None:
    """Write a table that `read_referrals` reads. kfid is empty if a referral has no key frame."""
    rows = [CsvRow(r.vid, r.uid, r.split, r.fid, r.expression, "" if r.kfid is None else r.kfid) for r in referrals]
    write_text(path, metadata_text(rows))


def is_plain_name(name: str) -> bool:
    """Whether the name can be used as the name of one folder or file. A path with several parts is not plain."""
    return (
        name not in ("", ".", "..")
        and not set(name) & {"/", "\\"}
        and name.isprintable()
        and len(name.encode("utf-8", "surrogatepass")) <= MAX_NAME_BYTES
    )


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """(line number, cells) of every row that is neither empty nor the header."""
    for position, (line, cells) in enumerate(csv_lines(path)):
        if position > 0 or not _is_header(cells, path):
            yield line, cells


def _is_header(cells: list[str], path: Path) -> bool:
    names = [cell.strip().lower() for cell in cells]
    expected = list(CSV_COLUMNS[: max(len(names), NUM_SOURCE_COLUMNS)])
    if {"vid", "uid"} <= set(names) and names[: len(expected)] != expected:
        raise ValueError(f"{path}: expected the columns {','.join(CSV_COLUMNS)} in this order, got {','.join(names)}")
    return "vid" in names and "uid" in names


def _referral(cells: list[str]) -> Referral:
    """The referral of one row, whatever its split. Raises ValueError with the reason when the row cannot be used."""
    if len(cells) < NUM_SOURCE_COLUMNS:
        raise ValueError(f"fewer than {NUM_SOURCE_COLUMNS} columns")
    vid, uid, split, fid = (cell.strip() for cell in cells[:4])
    expression, kfid = cells[4].strip(), cells[5].strip() if len(cells) > NUM_SOURCE_COLUMNS else ""
    if not expression.isprintable():
        expression = " ".join(expression.split())  # line breaks
    if is_null(uid):
        raise ValueError("null reference: no object in the video, so no ground truth")
    if not (is_plain_name(vid) and is_plain_name(uid)):
        raise ValueError("vid or uid is not a plain folder name")
    parts = uid_parts(uid)  # a reader of the benchmark finds the video and the object's name in the uid
    if len(parts) < 3 or parts[0] != vid or not parts[1]:
        raise ValueError("uid is not <vid>_<object>_<number>")
    if not _is_number(fid):
        raise ValueError("fid is not a whole number from 0")
    if kfid and not (_is_number(kfid) and int(kfid) < NUM_FRAMES):
        raise ValueError(f"kfid is not a frame from 0 to {NUM_FRAMES - 1}")
    if not expression:
        raise ValueError("empty expression")
    if not expression.isprintable():
        raise ValueError("expression with a control character")
    if reserved_tokens(expression) or reserved_tokens(parts[1]):
        raise ValueError("expression or object name with a token that is reserved for prompts and answers")
    return Referral(vid, uid, split, int(fid), expression, int(kfid) if kfid else None)


def _is_number(cell: str) -> bool:
    return cell.isascii() and cell.isdigit() and len(cell) <= 6


def _unrepeated(referrals: list[Referral], metadata: Metadata) -> Iterator[Referral]:
    """Each uid once. Equal rows are used once. Rows that differ are left out, since it is not known which is right."""
    by_uid: dict[str, list[Referral]] = defaultdict(list)
    for referral in referrals:
        by_uid[referral.uid].append(referral)
    for uid, rows in by_uid.items():
        if len(set(rows)) == 1:
            yield rows[0]
            for _ in rows[1:]:
                metadata.leave_out("repeated row: used once", uid)
        else:
            for _ in rows:
                metadata.leave_out("one uid for rows that differ", uid)
