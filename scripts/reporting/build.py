"""The work of scripts.report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from configs.report import ReportArguments
from scripts.reporting.audits import mask_key, read_others, read_results, shown_audits
from scripts.reporting.pages import write_page
from scripts.reporting.pictures import MEDIA, draw_gallery

PAGE = "index.html"


def build_report(args: ReportArguments) -> Path:
    """Write the report and return its folder. Raises FileNotFoundError, ValueError naming what cannot be shown."""
    folder = Path(args.output)
    _check_place(folder)
    runs = read_results(Path(args.results), args.data_dir)
    others = read_others(args.against, args.data_dir)
    audits = [audit for run in runs for audit in shown_audits(run, others, args.common)]
    if not audits:
        raise ValueError("--common: expected masks that all auditors have audited, got none")
    kept = {(audit.run, mask_key(audit.prediction)) for audit in audits}
    runs = [replace(run, predictions=[p for p in run.predictions if (run.name, mask_key(p)) in kept]) for run in runs]
    folder.mkdir(parents=True, exist_ok=True)
    media = draw_gallery(audits, folder, args.picture_size, args.num_workers)
    write_page(folder, args.title, runs, audits, media, [run for own in others.values() for run in own])
    return folder


def write_report(results: Path) -> Path:
    """A report of one run in the run's own folder; its page. Errors as `build_report`."""
    arguments = ReportArguments(results=str(results), output=str(results / "report"), title=f"Audits: {results.name}")
    return build_report(arguments) / PAGE


def _check_place(folder: Path) -> None:
    """Raises ValueError for a folder with files that are not a report's."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ValueError(f"--output {folder}: expected a folder, got a file")
    if any(folder.iterdir()) and not ((folder / PAGE).is_file() or (folder / MEDIA).is_dir()):
        raise ValueError(f"--output {folder}: expected a new or empty folder, or an earlier report, got other files")
