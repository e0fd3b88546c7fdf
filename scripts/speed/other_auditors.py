"""Rows of other auditors: seconds and memory of an audit, as finished runs have measured them on their machine."""

from __future__ import annotations

from collections.abc import Sequence

from scripts.evaluate.compared_runs import read_run, reply_figures
from scripts.speed.rows import Row


def rows_of_runs(texts: Sequence[str]) -> list[Row]:
    """`texts`: folders of runs, or NAME=FOLDER. Raises ValueError for a run without replies that were measured."""
    return [_row(text) for text in texts]


def _row(text: str) -> Row:
    run = read_run(text)
    figures = reply_figures(run)
    if not figures.get("seconds"):
        raise ValueError(f"--runs {text}: expected a run of another auditor with its replies.jsonl, got none")
    prompts = {(p.uid, p.frame_idx) for p in run.predictions}
    where = "server" if figures["memory_gb"] is None else str(run.settings.get("resolved_dtype", "local"))
    megabytes = figures["memory_gb"] and 1024 * figures["memory_gb"]
    masks, speed = round(len(run.predictions) / len(prompts)), 1 / figures["seconds"]
    return Row("audit", run.name, masks, where.removeprefix("torch."), speed, None, megabytes, None)
