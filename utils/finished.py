"""How a program knows that a step is finished: by one file, which the step writes last and never half.

    step                              its last file
    a training checkpoint             its manifest, in checkpoint-N (`scripts.training.checkpoints`)
    a training run                    trainer_state.json, beside the trained parts
    the audits of a test split        the summary of its scores, metrics_summary_*.json
    a benchmark                       build_report.json (`dataset.construction.progress`)
    a drawn world                     facts.json (`scripts.benchmark.draw_world`)
    a part of the mini auditor        <name>.done.pt (`scripts.pretrain.mini.schedule`)

A step without its last file is started again. What it has done so far is kept beside: checkpoints, a RecordLog
(*.partial), the folder .building of a benchmark, <name>.state.pt of a mini part.
"""

from __future__ import annotations

import json
from pathlib import Path

TRAINER_STATE = "trainer_state.json"


def is_trained(folder: str | Path) -> bool:
    """Whether the training run that writes to this folder is finished. A damaged last file does not count."""
    try:
        return isinstance(json.loads((Path(folder) / TRAINER_STATE).read_bytes()), dict)
    except (FileNotFoundError, ValueError):
        return False
