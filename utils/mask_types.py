"""The seven mask types, all that depends on them in one table: a new type is a new row.

What is said of a mask of a type is left to `audit`, and how one is made to `dataset.construction`.
"""

from __future__ import annotations

from dataclasses import dataclass

# The rank that a level of difficulty stands for; -1 takes every rank.
LEVEL_RANKS = {"all": -1, "hard": 1, "medium": 2}
RANK_LEVELS = {rank: level for level, rank in LEVEL_RANKS.items() if rank > 0}
_GRADED = ("hard", "medium")


@dataclass(frozen=True)
class MaskType:
    """One type. `name` is its label in files, answers and tables.

    colour: in pictures (Okabe and Ito's colours, told apart by colour-blind readers too).
    image_levels, video_levels: its columns in the paper's Table 2 (image mode) and Table 3 (video mode).
    paper_place: where it stands in the paper's tables, from 0; None for a type that the paper does not list.
    contains, spellings: a text names the type if it contains one of the first, or is one of the second.
    """

    name: str
    colour: str
    image_levels: tuple[str, ...] = ()
    video_levels: tuple[str, ...] = ()
    paper_place: int | None = None
    contains: tuple[str, ...] = ()
    spellings: tuple[str, ...] = ()


# In the order of the published summary files. "perfect" has spelling rules of its own, see `audit`.
TABLE = (
    MaskType("perfect", "#009e73", ("all",), ("all",), 0),
    MaskType("cutout", "#0072b2", _GRADED, _GRADED, 1, contains=("cut",)),
    MaskType("erode", "#56b4e9", _GRADED, _GRADED, 3, contains=("erode",)),
    MaskType("dilate", "#e69f00", _GRADED, _GRADED, 2, contains=("dilate",)),
    MaskType("merge", "#cc79a7", ("all",), ("hard",), 4, contains=("merge",)),
    MaskType("full_neg", "#d55e00", ("all",), ("hard",), 5, contains=("full", "neg")),
    MaskType("null", "#999999", spellings=("null", "null_mask", "empty", "empty_mask")),
)

MASK_TYPES = tuple(row.name for row in TABLE)
_IN_PAPER = sorted((row for row in TABLE if row.paper_place is not None), key=lambda row: row.paper_place)
PAPER_TYPES = tuple(row.name for row in _IN_PAPER)
# Cut, dilated and eroded masks: rank 1 is hard, rank 2 medium (paper, Sec. 3.2).
GRADED_TYPES = tuple(row.name for row in _IN_PAPER if row.image_levels == _GRADED)
TYPE_COLOURS = {row.name: row.colour for row in (*_IN_PAPER, *(row for row in TABLE if row.paper_place is None))}
# (mask type, level) of each column, from left to right, by eval mode.
PAPER_COLUMNS = {
    "image": [(row.name, level) for row in _IN_PAPER for level in row.image_levels],
    "video": [(row.name, level) for row in _IN_PAPER for level in row.video_levels],
}


def named_mask_type(text: str) -> str | None:
    """The type that a lower-case text names, e.g. "cutout_1" -> "cutout"; None where it names none."""
    for row in TABLE:
        if text in row.spellings or any(part in text for part in row.contains):
            return row.name
    return None
