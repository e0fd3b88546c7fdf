"""metadata.csv of a segmentation dataset: one row says one expression about one object of one video.

Which rows a benchmark can use is decided here, and every other row is kept by name with the reason. The pictures and
sounds that belong to a row are left to `source`.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dataset.benchmark.metadata import SOURCE_COLUMNS, CsvRow, metadata_rows, metadata_text, number_faults
from dataset.benchmark.samples import Problem
from dataset.benchmark.uids import is_null, object_of, uid_parts
from utils.splits import SPLITS
from utils.whole_files import write_text
from utils.words import doubt_of_words, fault_of_words

logger = logging.getLogger(__name__)
MAX_NAME_BYTES = 240  # file systems allow 255; the rest is for the endings of temporary files
NULL_REFERENCE = "null reference: no object in the video, so no ground truth"
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
    """The content of metadata.csv. `left_out`: reason -> uids of rows that cannot be used.

    `problems`: which of them are at fault, with their lines; the others are right but of no use here.
    """

    referrals: list[Referral] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    object_names: dict[tuple[str, int], str] = field(default_factory=dict)  # (vid, fid) -> name, from every split

    def leave_out(self, reason: str, uid: str) -> None:
        self.left_out.setdefault(reason, []).append(uid)


def read_referrals(path: Path) -> Metadata:
    """The rows of train, test_s and test_u that a benchmark can use, in file order, and the reasons for all others.

    Columns vid,uid,split,fid,exp and optionally kfid; a header row is optional, other columns are ignored.
    Raises FileNotFoundError, or ValueError when the file is no such table.
    """
    metadata, usable = Metadata(), []
    names: dict[tuple[str, int], Counter] = defaultdict(Counter)
    for line, row in metadata_rows(path, SOURCE_COLUMNS):
        try:
            referral = _referral(row)
            names[referral.vid, referral.fid][referral.target_object] += 1
            reason = None
        except ValueError as error:
            reason = str(error)
        if row.split not in SPLITS:
            reason = f"split '{row.split}', expected one of {', '.join(SPLITS)}"
        elif reason not in (None, NULL_REFERENCE):
            metadata.problems.append(Problem(row.uid, f"{path.name} line {line}: {reason}"))
        if reason is None:
            usable.append(referral)
            if doubt := doubt_of_words(row.exp):
                logger.warning("%s line %d: expression: %s", path.name, line, doubt)
        else:
            metadata.leave_out(reason, row.uid or f"(line {line})")
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


def _referral(row: CsvRow) -> Referral:
    """The referral of one row, whatever its split. Raises ValueError with the reason when the row cannot be used."""
    if is_null(row.uid):
        raise ValueError(NULL_REFERENCE)
    if not (is_plain_name(row.vid) and is_plain_name(row.uid)):
        raise ValueError("vid or uid is not a plain folder name")
    parts = uid_parts(row.uid)  # a reader of the benchmark finds the video and the object's name in the uid
    if len(parts) < 3 or parts[0] != row.vid or not parts[1]:
        raise ValueError("uid is not <vid>_<object>_<number>")
    for fault in number_faults(row):
        raise ValueError(fault)
    expression = row.exp.strip()
    for what, words in (("expression", expression), ("object name", parts[1])):
        if fault := fault_of_words(words):
            raise ValueError(f"{what}: {fault}")
    return Referral(row.vid, row.uid, row.split, row.fid, expression, None if row.kfid == "" else row.kfid)


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
