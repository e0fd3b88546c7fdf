"""The summary of a report: facts, and tables with the scores, or without ground truth with what was said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from scripts.reporting.audits import RunResults, Shown
from utils.audit import ACTIONS, normalize_action
from utils.certainty.contradictions import contradictions
from utils.certainty.known_clips import is_unlike
from utils.formatting import number_or_dash
from utils.mask_types import PAPER_TYPES
from utils.prediction import Prediction
from utils.scores.columns import compute_columns, ranks_known
from utils.scores.intervals import clustered_interval

LABELS = {"rmse": "RMSE", "f2_mask_type": "F2-M %", "f2_action": "F2-A %"}
OTHER = "other"  # a label that is none of the paper's, or could not be read


def facts(
    runs: Sequence[RunResults], audits: Sequence[Shown], others: Sequence[RunResults] = ()
) -> list[tuple[str, str]]:
    """Names and values. `others`: runs of auditors shown beside."""
    said = [one.prediction.said for one in audits]
    known = [one for one in audits if one.prediction.true.mask_type]
    right = sum(one.is_right for one in known)
    actions = Counter(audit.action or "not readable" for audit in said)
    return [
        ("masks", f"{len(audits):,}"),
        ("clips", f"{len({one.sample.vid for one in audits}):,}"),
        ("auditor", ", ".join(dict.fromkeys(run.auditor for run in runs))),
        *dict.fromkeys(("beside it", run.auditor) for run in others),
        *([("type and action right", f"{right / len(known):.1%}")] if known else []),
        *((action, f"{count:,}") for action, count in sorted(actions.items())),
        ("contradict themselves", f"{sum(bool(contradictions(audit)) for audit in said):,}"),
        ("of clips unlike training", f"{sum(is_unlike(one.prediction.clip_distance) for one in audits):,}"),
        *dict.fromkeys(("calibration", run.calibration.promise()) for run in runs if run.calibration),
    ]


def score_rows(runs: Sequence[RunResults]) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Averages of each run, and its scores in the paper's columns; both empty without ground truth."""
    known = [run for run in runs if any(p.true.mask_type for p in run.predictions)]
    return [_overall(run) for run in known], [row for run in known for row in _columns(run)]


def tables(overall: Sequence[dict[str, str]], columns: Sequence[dict[str, str]], audits: Sequence[Shown]) -> list[dict]:
    """Title, heads and rows of each table of the page. `overall`, `columns`: of `score_rows`."""
    made = [_as_table("All masks, with 95% intervals over videos", overall)] if overall else []
    made += [_as_table("Scores by mask type and rank, as in the paper's Tables 2 and 3", columns)] if columns else []
    return [*made, *(_confusions(audits) if overall else [_said(audits)])]


def _overall(run: RunResults) -> dict[str, str]:
    """Averages over all masks; in brackets where they lie in 95% of draws of videos."""
    known = [p for p in run.predictions if None not in (p.said.iou, p.true.iou)]
    typed = [p for p in run.predictions if p.true.mask_type]
    acted = [p for p in run.predictions if p.true.action]
    return {
        "run": run.name,
        "masks": f"{len(run.predictions):,}",
        "RMSE": _mean_text(known, lambda p: (p.said.iou - p.true.iou) ** 2, lambda value: f"{value**0.5:.3f}"),
        "type right": _mean_text(typed, lambda p: p.said.mask_type == p.true.mask_type, "{:.1%}".format),
        "action right": _mean_text(acted, lambda p: p.said.action == normalize_action(p.true.action), "{:.1%}".format),
    }


def _mean_text(
    predictions: Sequence[Prediction], value: Callable[[Prediction], float], text: Callable[[float], str]
) -> str:
    if not predictions:
        return "-"
    values = [float(value(p)) for p in predictions]
    low, high = clustered_interval(values, [p.vid or p.uid for p in predictions])
    return f"{text(sum(values) / len(values))} ({text(low)} to {text(high)})"


def _columns(run: RunResults) -> list[dict[str, str]]:
    """A row for each metric, in the columns of the paper's Table 2 or 3; none where ranks are unknown."""
    if not ranks_known(run.predictions, run.eval_mode):
        return []
    table = compute_columns(run.predictions, run.eval_mode)
    names = [*table["num_samples"], "avg"]
    return [
        {"run": run.name, "metric": label}
        | {name: number_or_dash(table[metric][name], 3 if metric == "rmse" else 1) for name in names}
        for metric, label in LABELS.items()
    ]


def _as_table(title: str, rows: Sequence[dict[str, str]]) -> dict:
    return {"title": title, "heads": list(rows[0]), "rows": [_as_row(list(row.values())) for row in rows]}


def _as_row(texts: Sequence[str]) -> dict:
    return {"name": texts[0], "cells": [{"text": text, "shade": None} for text in texts[1:]]}


def _confusions(audits: Sequence[Shown]) -> list[dict]:
    """How often each label was said for masks of each true label."""
    pairs = [(one.prediction.true, one.prediction.said) for one in audits]
    types = Counter((true.mask_type, said.mask_type) for true, said in pairs)
    actions = Counter((normalize_action(true.action), said.action) for true, said in pairs)
    return [
        _counted("Mask type: true (rows) and said (columns)", "true type", types, PAPER_TYPES, PAPER_TYPES),
        _counted("Action: true (rows) and said (columns)", "true action", actions, ACTIONS, ACTIONS),
    ]


def _said(audits: Sequence[Shown]) -> dict:
    """How often each type and action was said."""
    said = [one.prediction.said for one in audits]
    names = [audit.mask_type if audit.mask_type in PAPER_TYPES else OTHER for audit in said]
    counts = Counter(zip(names, (audit.action for audit in said), strict=True))
    return _counted(
        "What was said: mask type (rows) and action (columns)", "type", counts, (*PAPER_TYPES, OTHER), ACTIONS
    )


def _counted(title: str, head: str, counts: Counter, rows: Sequence[str], columns: Sequence[str]) -> dict:
    """A table of counts of (row, column); what is in no column is in a last one. `head` stands over the rows' names."""
    made = []
    for first in rows:
        total = sum(count for (name, _), count in counts.items() if name == first)
        row = [counts[first, second] for second in columns]
        cells = [*row, total - sum(row)]
        shades = [f"{0.6 * cell / total:.2f}" if total and cell else None for cell in cells]
        texts = [{"text": f"{cell:,}", "shade": shade} for cell, shade in zip(cells, shades, strict=True)]
        made.append({"name": first, "cells": texts})
    return {"title": title, "heads": [head, *columns, OTHER], "rows": made}
