"""Scores of segmentation masks as text for a terminal; all numbers in percent."""

from __future__ import annotations

from utils.formatting import number_or_dash

LABELS = {"J": "J", "F": "F", "J&F": "J&F", "boundary_F": "boundary F", "S": "S (null)", "silent": "left free"}
_SHOWN_GROUPS = 30


def render_scores(summary: dict) -> str:
    """The tables of scores.json, and what was missing."""
    lines = ["percent; in brackets 95% intervals over draws of videos", _row("protocol, split", LABELS.values())]
    for protocol, splits in summary["protocols"].items():
        for split, values in splits.items():
            lines.append(_row(f"{protocol} {split} ({values['samples']})", _cells(values)))
            if intervals := {name: ends for name, ends in values.get("intervals", {}).items() if ends}:
                lines.append(_row("", [_interval(intervals.get(name)) for name in LABELS]))
    for title, key in (("object", "by_category"), ("objects in the video", "by_num_objects")):
        groups = list(summary[key].items())
        if groups:
            lines += ["", _row(f"by {title}, {summary['finer_protocol']}", LABELS.values())]
            lines += [_row(f"{name} ({values['samples']})", _cells(values)) for name, values in groups[:_SHOWN_GROUPS]]
        if len(groups) > _SHOWN_GROUPS:
            lines.append(f"... {len(groups) - _SHOWN_GROUPS} more in scores.json")
    return "\n".join([*lines, "", *_gaps(summary)])


def _gaps(summary: dict) -> list[str]:
    lines = [f"frames whose truth is empty: {summary['frames_with_empty_truth']}"]
    for key, words in (
        ("left_out", "left out, without any mask"),
        ("without_any_mask", "scored as empty, without any mask"),
        ("frames_without_mask", "with frames without a mask, scored as empty"),
        ("frames_without_truth", "with frames without a truth, which are not scored"),
    ):
        if names := list(summary.get(key) or []):
            more = f", ... ({len(names)} in scores.json)" if len(names) > 3 else ""
            lines.append(f"{words}: {', '.join(names[:3])}{more}")
    return lines


def _cells(values: dict) -> list[str]:
    return [number_or_dash(None if values.get(name) is None else 100 * values[name], 1) for name in LABELS]


def _interval(ends: list[float] | tuple[float, float] | None) -> str:
    return "" if ends is None else f"[{100 * ends[0]:.1f} {100 * ends[1]:.1f}]"


def _row(label: str, cells) -> str:
    return (f"{label:<32}" + "".join(f"{cell:>14}" for cell in cells)).rstrip()
