"""The report's page: summary tables, charts, and the data of the gallery as a script that the page loads."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from scripts.reporting.audits import RunResults, Shown, is_right
from scripts.reporting.figures import coverage_chart, iou_chart, reliability_chart, write_tables
from scripts.reporting.pictures import Pictures
from utils.audit import ACTIONS, Audit, normalize_action
from utils.certainty.belief import Belief, Scaling, belief_of
from utils.certainty.calibration import calibration_error, reliability
from utils.certainty.contradictions import contradictions
from utils.certainty.known_clips import is_unlike
from utils.certainty.risk import risk_coverage
from utils.certainty.shares import Shares
from utils.certainty.stored import scaling_of
from utils.formatting import number_or_dash, without_tags
from utils.mask_types import PAPER_TYPES
from utils.prediction import Prediction
from utils.scores.columns import compute_columns, ranks_known
from utils.scores.intervals import clustered_interval
from utils.whole_files import write_text

TEMPLATES = Path(__file__).with_name("templates")
FIXED_FILES = ("report.css", "report.js")
LABELS = {"rmse": "RMSE", "f2_mask_type": "F2-M %", "f2_action": "F2-A %"}


def write_page(
    folder: Path,
    title: str,
    runs: Sequence[RunResults],
    audits: Sequence[Shown],
    media: Sequence[Pictures],
    others: Sequence[RunResults] = (),
) -> None:
    """Write index.html and all that it loads but the media. `others`: runs of auditors shown beside."""
    scalings = {run.name: scaling_of(run.calibration) for run in runs}
    beliefs = [_belief_of(one.prediction, scalings[one.run]) for one in audits]
    overall = [_overall(run) for run in [*runs, *others]]
    columns = [row for run in [*runs, *others] for row in _columns(run)]
    tables = [_as_table("All masks, with 95% intervals over videos", overall)]
    tables += [_as_table("Scores by mask type and rank, as in the paper's Tables 2 and 3", columns)] if columns else []
    charts = _draw_charts(folder, audits, beliefs)
    content = {
        "title": title,
        "facts": _facts(runs, audits),
        "tables": [*tables, *_confusions(audits)],
        "charts": charts,
    }
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    write_text(folder / "index.html", environment.get_template("index.html.j2").render(content))
    write_text(folder / "audits.js", _data(title, audits, beliefs, media))
    for name in FIXED_FILES:
        shutil.copyfile(TEMPLATES / name, folder / name)
    write_tables(pd.DataFrame(columns or overall), folder)


def _belief_of(prediction: Prediction, scaling: Scaling) -> Belief | None:
    return belief_of(Shares.from_record(prediction.shares), scaling) if prediction.shares else None


def _facts(runs: Sequence[RunResults], audits: Sequence[Shown]) -> list[tuple[str, str]]:
    said = [one.prediction.said for one in audits]
    right = sum(one.is_right for one in audits)
    actions = Counter(audit.action or "not readable" for audit in said)
    return [
        ("masks", f"{len(audits):,}"),
        ("clips", f"{len({one.sample.vid for one in audits}):,}"),
        ("auditor", ", ".join(dict.fromkeys(run.auditor for run in runs))),
        ("type and action right", f"{right / len(audits):.1%}"),
        *((action, f"{count:,}") for action, count in sorted(actions.items())),
        ("contradict themselves", f"{sum(bool(contradictions(audit)) for audit in said):,}"),
        ("of clips unlike training", f"{sum(is_unlike(one.prediction.clip_distance) for one in audits):,}"),
        *dict.fromkeys(("calibration", run.calibration.promise()) for run in runs if run.calibration),
    ]


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
        _confusion("Mask type: true (rows) and said (columns)", types, PAPER_TYPES),
        _confusion("Action: true (rows) and said (columns)", actions, ACTIONS),
    ]


def _confusion(title: str, counts: Counter, labels: Sequence[str]) -> dict:
    rows = []
    for true in labels:
        total = sum(count for (first, _), count in counts.items() if first == true)
        row = [counts[true, said] for said in labels]
        cells = [*row, total - sum(row)]
        shades = [f"{0.6 * cell / total:.2f}" if total and cell else None for cell in cells]
        rows.append(
            {"name": true, "cells": [{"text": f"{c:,}", "shade": s} for c, s in zip(cells, shades, strict=True)]}
        )
    return {"title": title, "heads": ["", *labels, "other"], "rows": rows}


def _draw_charts(folder: Path, audits: Sequence[Shown], beliefs: Sequence[Belief | None]) -> list[dict]:
    charts = []
    if iou_chart(audits, folder / "iou.svg"):
        charts.append(_chart("iou.svg", "IoU in the audit over the true IoU", "IoU in the audit over the true one."))
    known = [(a, b) for a, b in zip(audits, beliefs, strict=True) if b is not None and a.prediction.true.mask_type]
    if known:
        right = np.array([max(b.types, key=b.types.get) == a.prediction.true.mask_type for a, b in known])
        rows = reliability(np.array([b.certainty for _, b in known]), right)
        reliability_chart(rows, folder / "reliability.svg")
        text = f"How often the likeliest type is right. Expected calibration error {calibration_error(rows):.3f}."
        charts.append(_chart("reliability.svg", "Share of right types over their probability", text))
    errors = [(b, abs(b.iou - a.prediction.true.iou)) for a, b in known if None not in (b.iou, a.prediction.true.iou)]
    if errors:
        charts.append(_coverage(folder, errors))
    return charts


def _coverage(folder: Path, errors: Sequence[tuple[Belief, float]]) -> dict:
    error = np.array([e for _, e in errors])
    looked, left, area = risk_coverage([1 - b.certainty for b, _ in errors], error)
    _, best, best_area = risk_coverage(error, error)
    coverage_chart(
        {
            "least certain first": (looked, left),
            "random order": (looked, error.mean() * (1 - looked)),
            "largest error first": (looked, best),
        },
        folder / "coverage.svg",
    )
    text = f"Area {area:.4f}; random order {error.mean() / 2:.4f}, largest error first {best_area:.4f}."
    return _chart("coverage.svg", "Error that is left over the share of masks looked at", text)


def _chart(file: str, alt: str, text: str) -> dict:
    return {"file": file, "alt": alt, "text": text}


def _data(title: str, audits: Sequence[Shown], beliefs: Sequence[Belief | None], media: Sequence[Pictures]) -> str:
    """A script that sets AUDITS. JSON keeps every sign of the data inside of strings."""
    items = [_item(n, *one) for n, one in enumerate(zip(audits, beliefs, media, strict=True))]
    content = {
        "key": f"{title}, {len(items)}",
        "types": PAPER_TYPES,
        "actions": ACTIONS,
        "items": items,
    }
    return f"const AUDITS = {json.dumps(content, allow_nan=False, separators=(',', ':'))};\n"


def _item(number: int, audit: Shown, belief: Belief | None, media: Pictures) -> dict:
    prediction, sample = audit.prediction, audit.sample
    said, true = prediction.said, prediction.true
    known = None not in (said.iou, true.iou)
    words = " ".join(map(str, (sample.expression, sample.uid, sample.vid, prediction.mask_path)))
    return {
        "n": number,
        "key": str(number),
        "run": audit.run,
        "uid": prediction.uid,
        "vid": str(sample.vid),
        "frame": prediction.frame_idx,
        "mask": prediction.mask_path,
        "expression": sample.expression,
        "words": words.lower(),
        "said": _audit(said),
        "true": _audit(Audit(true.mask_type, true.iou, normalize_action(true.action))),
        "text": without_tags(prediction.raw_output or ""),
        "right": audit.is_right if true.mask_type else None,
        "error": abs(said.iou - true.iou) if known else None,
        "contradictions": contradictions(said),
        "belief": belief and _belief(belief),
        "others": [_other(name, prediction) for name, prediction in audit.others.items()],
        "media": asdict(media),
    }


def _audit(audit: Audit) -> dict:
    return {"type": audit.mask_type, "iou": audit.iou, "action": audit.action}


def _other(name: str, prediction: Prediction) -> dict:
    right = is_right(prediction) if prediction.true.mask_type else None
    return _audit(prediction.said) | {"name": name, "text": without_tags(prediction.raw_output or ""), "right": right}


def _belief(belief: Belief) -> dict:
    return {
        "types": [round(belief.types[name], 4) for name in PAPER_TYPES],
        "actions": [round(belief.actions[name], 4) for name in ACTIONS],
        "iou": belief.iou and round(belief.iou, 4),
        "interval": belief.interval,
    }
