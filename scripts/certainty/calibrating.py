"""The work of scripts.evaluate.calibrate."""

from __future__ import annotations

import json
import math
from datetime import datetime, timezone
from pathlib import Path

from configs.calibration import CalibrationArguments
from models.weights.checkpoint import find_auditor
from scripts.certainty.audits import KnownAudit, of_videos, read_known
from scripts.certainty.measures import NAMES, Measured, measure
from scripts.certainty.pictures import calibration_picture
from utils.certainty.belief import Scaling, belief_of
from utils.certainty.calibration import fit_scaling
from utils.certainty.risk import Threshold, accept_threshold
from utils.certainty.stored import CALIBRATION_FILE, Calibration
from utils.formatting import number_or_dash
from utils.manifest import put_file
from utils.mask_types import PAPER_TYPES
from utils.splits import videos_by_seed
from utils.whole_files import write_json


def calibrate(args: CalibrationArguments) -> None:
    """Fit on half of the videos, choose the threshold on the other half, measure, and store it with the auditor."""
    auditor = find_auditor(args.auditor)
    audits = read_known(args.run)
    measured_runs = {Path(run).name: read_known(run) for run in args.measure}
    videos = {audit.vid for audit in audits}
    used = videos_by_seed(videos, max(2, round(args.share * len(videos))), args.seed)
    first = videos_by_seed(used, max(1, len(used) // 2), args.seed + 1)
    scaling = fit(of_videos(audits, first))
    second = of_videos(audits, used - first)
    sets = {f"{len(used - first)} videos of the threshold": second}
    if others := of_videos(audits, videos - used):
        sets["the run's other videos"] = others
    sets |= measured_runs
    before = {name: measure(own) for name, own in sets.items()}
    after = {name: measure(own, scaling) for name, own in sets.items()}
    calibration = Calibration(
        scaling=scaling,
        accept=choose_threshold(second, scaling, args),
        good_iou=args.good_iou,
        run=Path(args.run).name,
        videos=sorted(used),
        audits=len(of_videos(audits, used)),
        errors=_errors(next(iter(before.values())), next(iter(after.values()))),
        date=datetime.now(timezone.utc).date().isoformat(),
    )
    output = Path(args.output or Path(args.run) / "calibration")
    output.mkdir(parents=True, exist_ok=True)
    last = list(sets)[-1]
    title = f"{last}: {after[last].record['audits']:,} audits"
    calibration_picture(before[last], after[last], title, output / "calibration.png")
    report = {name: {"before": before[name].record, "after": after[name].record} for name in sets}
    write_json(output / "report.json", {"calibration": calibration.as_record(), "measured": report})
    content = json.dumps(calibration.as_record(), indent=2, allow_nan=False) + "\n"
    put_file(auditor, CALIBRATION_FILE, content.encode())
    print(render(calibration, before, after))
    print(f"written: {auditor / CALIBRATION_FILE}, {output}")


def fit(audits: list[KnownAudit]) -> Scaling:
    return fit_scaling([a.shares for a in audits], [a.form for a in audits], [a.iou for a in audits])


def choose_threshold(audits: list[KnownAudit], scaling: Scaling, args: CalibrationArguments) -> Threshold:
    """Audits without an expected IoU are never accepted."""
    expected = [belief_of(audit.shares, scaling).iou for audit in audits]
    return accept_threshold(
        [-1.0 if iou is None else iou for iou in expected],
        [audit.iou < args.good_iou for audit in audits],
        [audit.vid for audit in audits],
        args.risk,
    )


def _errors(before: Measured, after: Measured) -> dict[str, dict[str, float]]:
    found = {"before": before.record["calibration_error"], "after": after.record["calibration_error"]}
    return {name: {when: own[name] for when, own in found.items()} for name in NAMES}


def render(calibration: Calibration, before: dict[str, Measured], after: dict[str, Measured]) -> str:
    """Temperatures, the promise, and a line for each set of audits."""
    scaling = calibration.scaling
    weights = ", ".join(f"{name} {math.exp(w):.2f}" for name, w in zip(PAPER_TYPES, scaling.types, strict=True))
    lines = [
        f"temperatures: forms {scaling.forms:.2f}, digits {scaling.digits:.2f}",
        f"weights of types: {weights}",
        calibration.promise(),
    ]
    kept = calibration.accept
    if calibration.accepts_any:
        shares = f"{kept.measured:.1%} accepted and wrong, {kept.accepted:.1%} accepted"
        lines.append(f"on the videos of the threshold: {shares}")
    heads = [*(f"ECE {name}" for name in NAMES), "RMSE", "type errors in the least certain 20%"]
    lines.append("\nbefore -> after: " + " | ".join(heads))
    for name, own in before.items():
        then, now = own.record, after[name].record
        cells = [_change(then["calibration_error"][label], now["calibration_error"][label]) for label in NAMES]
        cells.append(_change(then["rmse_written"], now["rmse_expected"]) + " (written -> expected)")
        share = "type_errors_in_least_certain_20%"
        cells.append(_change(then[share], now[share]))
        lines.append(f"{name}, {then['audits']:,} audits: " + " | ".join(cells))
    return "\n".join(lines)


def _change(then: float | None, now: float | None) -> str:
    return f"{number_or_dash(then, 3)} -> {number_or_dash(now, 3)}"
