"""Repairs of masks as tables, in the shape of the paper's Table 7 with what it does not say beside."""

from __future__ import annotations

from utils.scores.repairs import METRICS

HEAD = (
    "masks",
    *METRICS,
    "change of J&F",
    "repaired",
    "better / worse",
    "J&F of the repaired",
    "way to the oracle",
    "audits",
    "frames segmented",
)


def repair_tables(results: dict) -> str:
    """The content of repairs.json as Markdown; all scores in percent."""
    parts = ["Scores in percent; in brackets 95% intervals over draws of videos. Costs are per sample."]
    for protocol, splits in results["protocols"].items():
        for split, rows in splits.items():
            parts.append(f"**{split}, {protocol}** ({rows['keep']['samples']} samples)")
            paper = [[f"paper: {name}", *map(str, own.values())] for name, own in results["paper"][split].items()]
            parts.append(_table(HEAD, [*(_cells(name, row) for name, row in rows.items()), *paper]))
    for split, kinds in results.get("kinds", {}).items():
        names = list(next(iter(kinds.values())))
        lines = [
            [f"{kind} ({rows['keep']['samples']})", *(_percent(rows[name]["all"]["J&F"]["after"]) for name in names)]
            for kind, rows in kinds.items()
        ]
        parts.append(f"**J&F by kind of expression, {split}, {results['kinds_protocol']}**")
        parts.append(_table(("kind", *names), lines))
    return "\n\n".join(parts)


def _cells(name: str, row: dict) -> list[str]:
    own, changed = row["all"], row["repaired"]["J&F"]
    change = own["J&F"]
    cells = [name, *(_percent(own[metric]["after"]) for metric in METRICS)]
    if not row["num_repaired"]:
        return [*cells, *[""] * (len(HEAD) - len(cells))]
    return [
        *cells,
        f"{100 * change['difference']:+.1f} [{100 * change['low']:+.1f} {100 * change['high']:+.1f}]",
        str(row["num_repaired"]),
        f"{row['better']} / {row['worse']}",
        f"{_percent(changed['before'])} → {_percent(changed['after'])}",
        "" if row["closed"] is None else f"{row['closed']:.0%}",
        f"{row['audits_per_sample']:.1f}",
        f"{row['segmented_frames_per_sample']:.1f}",
    ]


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}"


def _table(head: tuple[str, ...], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *([*row, *[""] * (len(head) - len(row))] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
