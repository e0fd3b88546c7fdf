"""How the programs speak: their own messages, and of the libraries' only what concerns the user."""

from __future__ import annotations

import logging
import os
import warnings

import transformers


def start_logging(level: int = logging.INFO) -> None:
    """Messages from `level` on go to stderr; the libraries' notes to developers are left out.

    Of several processes only the first one speaks, unless something is wrong.
    """
    level = level if os.environ.get("RANK", "0") == "0" else logging.ERROR
    logging.basicConfig(level=level, format="%(asctime)s %(name)s: %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    transformers.utils.logging.set_verbosity_warning()
    transformers.utils.logging.disable_progress_bar()
    # renamings announced for transformers 6, which peft and our supported range of versions still cross
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
