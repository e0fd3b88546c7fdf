"""The work of scripts.report."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from configs.report import ReportArguments
from scripts.reporting.audits import mask_key, read_others, read_results, shown_audits
from scripts.reporting.charts import CHARTS
from scripts.reporting.figures import TABLES
from scripts.reporting.pages import DATA, FIXED_FILES, PAGE, write_page
from scripts.reporting.pictures import MEDIA, draw_gallery
from utils.whole_files import name_beside, swap_folder

OWN_FILES = {PAGE, DATA, *FIXED_FILES, *CHARTS, *TABLES, MEDIA}


def build_report(args: ReportArguments) -> Path:
    """Write the report and return its folder. An earlier report in its place is replaced, other files there are kept.

    Raises FileNotFoundError, ValueError naming what cannot be shown; then nothing is written.
    """
    folder = Path(args.output)
    _check_place(folder)
    runs = read_results(Path(args.results), args.data_dir)
    others = read_others(args.against, args.data_dir)
    audits = [audit for run in runs for audit in shown_audits(run, others, args.common)]
    if not audits:
        raise ValueError("--common: expected masks that all auditors have audited, got none")
    kept = {(audit.run, mask_key(audit.prediction)) for audit in audits}
    runs = [replace(run, predictions=[p for p in run.predictions if (run.name, mask_key(p)) in kept]) for run in runs]
    made = name_beside(folder.resolve())
    try:
        media = draw_gallery(audits, made, args.picture_size, args.num_workers)
        write_page(made, args.title, runs, audits, media, [run for own in others.values() for run in own])
        _put(made, folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return folder


def _put(made: Path, folder: Path) -> None:
    """The new report in the place of an earlier one, with what people have put beside that, such as their marks."""
    if not folder.exists():
        made.rename(folder)
        return
    for path in folder.iterdir():
        if path.name not in OWN_FILES:
            (shutil.copytree if path.is_dir() else shutil.copy2)(path, made / path.name)
    swap_folder(made, folder.resolve())


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
    if any(folder.iterdir()) and not ((folder / PAGE).is_file() and (folder / DATA).is_file()):
        raise ValueError(f"--output {folder}: expected a new or empty folder, or an earlier report, got other files")
