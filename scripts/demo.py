"""A page to try an auditor: drop a video, say what the mask should show, draw or upload the mask, get the audit.

python -m scripts.demo                                        the auditor that the quickstart has trained
python -m scripts.demo --auditor DIR --pretrained_weights_dir DIR
It needs Gradio: pip install -r scripts/requirements-demo.txt. Ctrl-C ends it. Only this machine reaches the page, and
nothing that is dropped there is kept.
"""

from __future__ import annotations

import logging
import sys

from configs.demo import DemoArguments
from configs.model import ModelArguments
from scripts.program import run_program


def main(argv: list[str] | None = None) -> int:
    return run_program("demo", (ModelArguments, DemoArguments), demo, argv, __doc__, logging.WARNING)


def demo(model_args: ModelArguments, args: DemoArguments) -> None:
    from scripts.trial.serving import serve  # late: imports torch and Gradio

    serve(model_args, args)


if __name__ == "__main__":
    sys.exit(main())
