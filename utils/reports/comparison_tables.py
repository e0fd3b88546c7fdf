"""Tables of a comparison in Markdown: the paper's Table 2, differences, and what could be read at which price."""

from __future__ import annotations

from collections.abc import Mapping

from utils.formatting import number_or_dash, one_line
from utils.reading.reply import FIELDS, LEVELS
from utils.scores.columns import METRICS

LABELS = {"rmse": "RMSE", "f2_mask_type": "F2-M %", "f2_action": "F2-A %"}


def columns_table(rows: Mapping[str, dict], published: Mapping[str, dict]) -> str:
    """`rows`: name -> `compute_columns`; `published`: the paper's rows in the same form, shown beneath in italics."""
    names = list(next(iter(rows.values()))["num_samples"])
    heads = [name.replace("_hard", " hard").replace("_medium", " medium") for name in names]
    lines = _head(["metric", "auditor", *heads, "avg"])
    for metric in METRICS:
        for who, table in rows.items():
            lines.append(_row([LABELS[metric], who, *_cells(table[metric], [*names, "avg"], metric)]))
        for who, table in published.items():
            cells = _cells(table[metric], [*names, "avg"], metric)
            lines.append(_row(["", f"*{who}, paper*", *(f"*{cell}*" for cell in cells)]))
    counts = next(iter(rows.values()))["num_samples"]
    return "\n".join([*lines, _row(["masks", "", *map(str, counts.values()), str(sum(counts.values()))])])


def differences_table(differences: Mapping[str, dict], first: str) -> str:
    """Each run minus the first one, with the 95% interval of the paired bootstrap by video."""
    lines = _head(["auditor", *(f"{label} minus {first}" for label in LABELS.values())])
    for who, own in differences.items():
        cells = []
        for metric in METRICS:
            digits = 3 if metric == "rmse" else 1
            value, low, high = (own[metric][key] for key in ("difference", "low", "high"))
            shown = "-" if value is None else f"{value:+.{digits}f}"
            cells.append(f"{shown} ({number_or_dash(low, digits)} to {number_or_dash(high, digits)})")
        lines.append(_row([who, *cells]))
    return "\n".join(lines)


def reading_table(levels: Mapping[str, dict]) -> str:
    """Percent of the masks whose fields were read at each level, and of those that could not be read."""
    lines = _head(["auditor", "field", *LEVELS, "unreadable"])
    for who, fields in levels.items():
        for name in FIELDS:
            cells = [f"{100 * share:.1f}" for share in fields[name].values()]
            lines.append(_row([who, name, *cells]))
    return "\n".join(lines)


def quality_table(rows: Mapping[str, dict]) -> str:
    """Of the IoUs that were said: RMSE, error, rank correlation; contradictions of whole audits in percent."""
    heads = ["auditor", "IoUs said %", "their RMSE", "mean error", "rank correlation", "contradictions %"]
    lines = _head(heads)
    for who, own in rows.items():
        share, clash = (None if own[key] is None else 100 * own[key] for key in ("share", "contradictions"))
        cells = [(share, 1), (own["rmse"], 3), (own["mae"], 3), (own["rank_correlation"], 2), (clash, 1)]
        lines.append(_row([who, *(number_or_dash(value, digits) for value, digits in cells)]))
    return "\n".join(lines)


def replies_table(figures: Mapping[str, dict], not_taken: Mapping[str, list[str]], masks: int) -> str:
    """Kinds of replies, seconds, tokens, price and memory of an audit, and the media that a model did not get."""
    kinds = ("answered", "refused", "filtered", "cut_off", "empty", "failed")
    heads = ["auditor", "masks", *kinds, "seconds", "tokens in", "out", "thought", "cached", "USD for 1,000"]
    lines = _head([*heads, "memory GB", "without"])
    for who, own in figures.items():
        counts = [str(own["replies"].get(kind, 0)) if own else "-" for kind in kinds]
        tokens = own.get("tokens", {})
        numbers = [number_or_dash(own.get("seconds"), 2)]
        numbers += [number_or_dash(tokens.get(name), 0) for name in ("input", "output", "thought", "cached")]
        numbers += [number_or_dash(own.get(name), 2) for name in ("usd_for_1000", "memory_gb")]
        lines.append(_row([who, str(masks), *counts, *numbers, ", ".join(not_taken[who]) or "-"]))
    return "\n".join(lines)


def _cells(row: Mapping, names: list[str], metric: str) -> list[str]:
    return [number_or_dash(row.get(name), 3 if metric == "rmse" else 1) for name in names]


def _head(names: list[str]) -> list[str]:
    return [_row(names), "|" + "---|" * len(names)]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(one_line(cell).replace('|', chr(92) + '|') for cell in cells)} |"
