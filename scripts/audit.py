"""Audit one mask of a clip of your own: its type, its IoU with the true mask, and what to do with it.

python -m scripts.audit --video clip.mp4 --expression "the dog that barks" --mask mask.png --frame 7 --auditor DIR
python -m scripts.audit --frames FOLDER --audio a.wav --expression ... (as above)
"""

from __future__ import annotations

import logging
import sys

from configs.audit import AuditArguments
from configs.model import ModelArguments
from scripts.program import run_program


def main(argv: list[str] | None = None) -> int:
    """Exit code 0, or 2 after one sentence on stderr for input that cannot be audited."""
    return run_program("audit", (ModelArguments, AuditArguments), work, argv, __doc__, logging.WARNING)


def work(model_args: ModelArguments, args: AuditArguments) -> None:
    from scripts.clip_audit import audit_clip  # late: imports torch

    audit_clip(model_args, args)


if __name__ == "__main__":
    sys.exit(main())
