"""The report's page, written from templates."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from scripts.reporting.audits import RunResults, Shown
from scripts.reporting.charts import draw_charts
from scripts.reporting.figures import write_tables
from scripts.reporting.items import data_script
from scripts.reporting.pictures import Pictures
from scripts.reporting.summary import facts, score_rows, tables
from utils.certainty.belief import Belief, Scaling, belief_of
from utils.certainty.shares import Shares
from utils.certainty.stored import scaling_of
from utils.prediction import Prediction
from utils.whole_files import write_text

TEMPLATES = Path(__file__).with_name("templates")
PAGE, DATA = "index.html", "audits.js"
FIXED_FILES = ("report.css", "marks.js", "gallery.js", "detail.js")


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
    overall, columns = score_rows([*runs, *others])
    content = {
        "title": title,
        "facts": facts(runs, audits, others),
        "tables": tables(overall, columns, audits),
        "has_truth": bool(overall),
        "charts": draw_charts(folder, audits, beliefs),
    }
    write_text(folder / DATA, data_script(audits, beliefs, media))
    for name in FIXED_FILES:
        shutil.copyfile(TEMPLATES / name, folder / name)
    if rows := columns or overall:
        write_tables(pd.DataFrame(rows), folder)
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    write_text(folder / PAGE, environment.get_template(f"{PAGE}.j2").render(content))


def _belief_of(prediction: Prediction, scaling: Scaling) -> Belief | None:
    return belief_of(Shares.from_record(prediction.shares), scaling) if prediction.shares else None
