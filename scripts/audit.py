"""Audit masks of your own: their types, their IoUs with the true masks, and what to do with them.

python -m scripts.audit --video clip.mp4 --expression "the dog that barks" --mask mask.png --frame 7 --auditor DIR
python -m scripts.audit --frames FOLDER --audio a.wav --expression ... (as above; several masks or expressions, too)
python -m scripts.audit --jobs masks.csv
python -m scripts.audit --coco results.json --instances instances.json --images DIR --still --no_audio
python -m scripts.audit --mask_root MASKS --data_dir ../Ref-AVSBench
Of several masks, audits.jsonl and audits.csv are written to --output. Started again, an interrupted run goes on.
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
    if args.source or len(args.mask) > 1 or len(args.expression) > 1:
        from scripts.own_masks.auditing import audit_own_masks  # late: imports torch

        audit_own_masks(model_args, args)
    else:
        from scripts.clip_audit import audit_clip  # late: imports torch

        audit_clip(model_args, args)


if __name__ == "__main__":
    sys.exit(main())
