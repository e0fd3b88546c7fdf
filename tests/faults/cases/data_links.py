"""Links in folders of data: a linked folder is followed, a linked file that leaves the folder is named and refused."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from tests.faults.case import Case, accepted, found, refused
from tests.faults.changes import FRAME, MASK, SOUND, SPLIT, TABLE, link

OUT = "got a link to"
ALLOW = ("--allow_links", "true")
BENCHMARK = ("evaluate", "train", "verify", "describe")


def moved(where: str, root: Path) -> None:
    """The file lies outside the data, and a link stands in its place."""
    (root / "elsewhere").mkdir(exist_ok=True)
    (root / where).rename(root / "elsewhere/file")
    link(where, "{root}/elsewhere/file", root)


def other_disk(where: str, root: Path) -> None:
    """A folder lies outside the data, with a link in its place; a file of it is a link within it."""
    (root / where).rename(root / "other_disk")
    (root / where).symlink_to(root / "other_disk")
    file = next(path for path in sorted((root / "other_disk").rglob("*")) if path.is_file())
    file.rename(file.with_name("kept"))
    file.symlink_to(file.with_name("kept"))


def file_case(name: str, where: str, **told) -> list[Case]:
    """A linked file: refused by name, and accepted with --allow_links."""
    expected = {program: told.get(program, refused(OUT)) for program in ("evaluate", "verify")}
    agreed = Case(f"{name} is a link out, allowed", partial(moved, where), dict.fromkeys(expected, accepted), ALLOW)
    return [Case(f"{name} is a link out", partial(moved, where), expected), agreed]


SOURCE_FRAME, SOURCE_MASK = "source/media/video0_0_10000/frames/3.jpg", "source/gt_mask/video0_0_10000/fid_0/00003.png"
CASES = [
    *file_case("mask", MASK, verify=found(OUT)),
    *file_case("frame", FRAME, verify=found(OUT)),
    *file_case("sound", SOUND, verify=found(OUT)),
    *file_case("split file", SPLIT),
    *file_case("metadata.csv", TABLE),
    Case("training mask is a link out", partial(moved, "bench/masks/train/vA_cat_1/gt.png"), {"train": refused(OUT)}),
    Case("source frame is a link out", partial(moved, SOURCE_FRAME), {"build": refused(OUT)}),
    Case("source mask is a link out", partial(moved, SOURCE_MASK), {"build": refused(OUT)}),
    Case("source mask is a link out, allowed", partial(moved, SOURCE_MASK), {"build": accepted}, ALLOW),
    Case("media on another disk", partial(other_disk, "bench/media"), dict.fromkeys(BENCHMARK, accepted)),
    Case("masks on another disk", partial(other_disk, "bench/masks/test_s"), {"evaluate": accepted}),
    Case("source media on another disk", partial(other_disk, "source/media"), {"build": accepted}),
]
