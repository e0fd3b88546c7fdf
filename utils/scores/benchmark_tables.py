"""What a benchmark consists of, counted: the paper's Tables 1 and 8, and masks per rank, action and object.

Works on a DataFrame with one row per mask, see `mask_table`; reading one is left to `dataset.benchmark.inventory`.
Parts of a benchmark are named as in `utils.splits.PARTS`.
"""

from __future__ import annotations

import pandas as pd

from utils.formatting import one_line
from utils.mask_types import PAPER_TYPES, RANK_LEVELS
from utils.scores.published import published_tables
from utils.splits import EVAL_MODES, TRAIN, parts_of_mode

COLUMNS = ("part", "vid", "uid", "object", "mask_type", "rank", "iou", "action")
STATISTICS_ROWS = {
    TRAIN: [TRAIN],
    **{part: [part] for part in parts_of_mode("image")},
    "image/total": parts_of_mode("image"),
    **{part: [part] for part in parts_of_mode("video")},
    "video/total": parts_of_mode("video"),
}  # row of Table 1: the parts it counts
ACTION_ORDER = ["accept", "minor revision", "major revision", "reject"]
PUBLISHED_RULE = "train, test_s or test_u (image protocol) has the paper's numbers of videos and expressions"
_RANK_WORDS = {rank: f"{rank} ({level})" for rank, level in RANK_LEVELS.items()}


def mask_table(rows: list[dict], parts: list[str]) -> pd.DataFrame:
    """One row per mask, with COLUMNS; `parts` are those that the benchmark has, also those without any mask."""
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.assign(part=pd.Categorical(table["part"], categories=parts, ordered=True))


def count_statistics(masks: pd.DataFrame) -> pd.DataFrame:
    """Table 1: videos, references (expressions) and masks of each part; totals where both test sets are there."""
    present = set(masks["part"].cat.categories)
    rows = {}
    for name, parts in STATISTICS_ROWS.items():
        if present.issuperset(parts):
            chosen = masks[masks["part"].isin(parts)]
            videos, references = chosen["vid"].nunique(), chosen["uid"].nunique()
            rows[name] = {"videos": videos, "references": references, "masks": len(chosen)}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("part")


def count_types(masks: pd.DataFrame) -> pd.DataFrame:
    """Table 8: masks of each part, in total and per type; a column for null only where there are such masks."""
    table = _count_by_part(masks["part"], masks["mask_type"])
    types = [*PAPER_TYPES, *(name for name in table.index if name not in PAPER_TYPES)]
    table = table.reindex(types, fill_value=0).T.rename_axis(index="part", columns=None)
    table.insert(0, "total", table.sum(axis=1))
    return table


def count_ranks(masks: pd.DataFrame) -> pd.DataFrame:
    """Masks per type and rank in each part; rank 1 is hard, 2 medium, and a perfect mask has none ("-")."""
    ranks = ["-" if pd.isna(rank) else _RANK_WORDS.get(rank, f"{rank:g}") for rank in masks["rank"]]
    table = _count_by_part(masks["part"], masks["mask_type"], pd.Series(ranks, masks.index, dtype=object, name="rank"))
    order = {name: i for i, name in enumerate(PAPER_TYPES)}
    return table.sort_index(
        level="mask_type",
        key=lambda names: names.map(lambda name: order.get(name, len(order))),
        sort_remaining=False,
        kind="stable",
    )


def count_actions(masks: pd.DataFrame) -> pd.DataFrame:
    """Masks per recommended action in each part, from accept to reject; "unknown" where the file does not tell it."""
    table = _count_by_part(masks["part"], masks["action"].fillna("unknown"))
    return table.reindex([*ACTION_ORDER, *(name for name in table.index if name not in ACTION_ORDER)], fill_value=0)


def count_objects(masks: pd.DataFrame) -> pd.DataFrame:
    """Expressions per object category in each part, then expressions, videos and masks in all; largest first."""
    expressions = masks.drop_duplicates(["part", "uid"])
    table = _count_by_part(expressions["part"], expressions["object"])
    by_object = masks.groupby("object")
    table["references"], table["videos"] = by_object["uid"].nunique(), by_object["vid"].nunique()
    table["masks"] = by_object.size()
    return table.sort_values("references", ascending=False, kind="stable")


def is_published(statistics: pd.DataFrame) -> bool:
    """PUBLISHED_RULE. Masks are not compared, so that a copy with a few broken entries is still recognised.

    Video mode does not count: 60 and 40 videos are what any large benchmark takes.
    """
    paper, same = published_statistics(), ["videos", "references"]
    parts = [part for part in (TRAIN, *parts_of_mode("image")) if part in statistics.index]
    return any((statistics.loc[part, same] == paper.loc[part, same]).all() for part in parts)


def published_statistics() -> pd.DataFrame:
    """The paper's Table 1 in the form of `count_statistics`."""
    given = published_tables()["table1_statistics"]
    flat = {TRAIN: given[TRAIN]}
    flat |= {f"{mode}/{split}": row for mode in EVAL_MODES for split, row in given[mode].items()}
    table = pd.DataFrame.from_dict(flat, orient="index")
    return pd.DataFrame({name: table.loc[parts].sum() for name, parts in STATISTICS_ROWS.items()}).T


def published_types() -> pd.DataFrame:
    """The paper's Table 8 in the form of `count_types`."""
    return pd.DataFrame.from_dict(published_tables()["table8_masks_per_type"], orient="index")


def beside_paper(table: pd.DataFrame, paper: pd.DataFrame) -> pd.DataFrame:
    """Each row three times: here, in the paper, and the difference; NA where the paper has no such number."""
    paper = paper.reindex(index=table.index, columns=table.columns)
    stacked = pd.concat({"here": table, "paper": paper, "difference": table - paper}, names=["source", "part"])
    order = pd.MultiIndex.from_product([table.index, ["here", "paper", "difference"]], names=["part", "source"])
    return stacked.swaplevel().reindex(order).astype("Int64")


def render_table(table: pd.DataFrame, title: str) -> str:
    """A title and the table as text; the added rows of `beside_paper` are indented, and differences have a sign."""
    labels, cells = [], []
    for label, row in zip(table.index, table.values, strict=True):
        is_difference = label[1] == "difference" if "source" in table.index.names else False
        labels.append(_row_label(label))
        cells.append([_cell(value, is_difference) for value in row])
    text = pd.DataFrame(cells, labels, [str(name) for name in table.columns]).to_string() if cells else "(none)"
    return f"{title}\n{text}"


def _row_label(label: str | tuple[str, str]) -> str:
    if isinstance(label, str):
        return one_line(label)
    first, second = label
    return first if second == "here" else f"  {second}" if second in ("paper", "difference") else f"{first} {second}"


def _cell(value: int, is_difference: bool) -> str:
    if pd.isna(value):
        return "-"
    return f"{int(value):+,}" if is_difference and value else f"{int(value):,}"


def _count_by_part(parts: pd.Series, *keys: pd.Series) -> pd.DataFrame:
    """How many rows each part has of every key that occurs; one column per part, with or without rows."""
    counted = pd.crosstab(list(keys) if len(keys) > 1 else keys[0], parts.astype(str))
    return counted.reindex(columns=list(parts.cat.categories), fill_value=0).rename_axis(columns=None)
