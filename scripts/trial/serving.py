"""Loads the auditor and serves the page to this machine, until a signal ends it."""

from __future__ import annotations

import os
import tempfile
import threading
from pathlib import Path

from configs.demo import QUICKSTART_AUDITOR, DemoArguments
from configs.model import ModelArguments
from models.weights.checkpoint import check_auditor
from scripts.session import AuditSession

HOST = "127.0.0.1"  # of this machine only
MOST_UPLOAD = "1gb"


def serve(model_args: ModelArguments, args: DemoArguments) -> None:
    """Raises ImportError without Gradio, FileNotFoundError, ValueError for an auditor, OSError for a port in use."""
    check_gradio()
    if args.auditor == QUICKSTART_AUDITOR and not Path(args.auditor).exists():
        hint = "bash scripts/quickstart.sh trains it, or name another one with --auditor"
        raise FileNotFoundError(f"--auditor {args.auditor}: no such folder ({hint})")
    check_auditor(args.auditor, model_args)
    session = AuditSession.load(args.auditor, model_args, args)
    with tempfile.TemporaryDirectory(prefix="mq-auditor-") as uploads:
        page = launched(session, args.port, uploads)
        print(f"the page is at http://{HOST}:{args.port} (Ctrl-C ends it)", flush=True)
        try:
            threading.Event().wait()
        finally:
            page.close(verbose=False)


def check_gradio() -> None:
    """Raises ImportError that says what to install."""
    try:
        import gradio  # noqa: F401
    except ImportError:
        how = "pip install -r scripts/requirements-demo.txt"
        raise ImportError(f"scripts.demo: expected the package gradio, got none ({how})") from None


def launched(session: AuditSession, port: int, uploads: str):
    """The page, served in threads of its own. What is uploaded lies in the folder `uploads`."""
    os.environ |= {"GRADIO_TEMP_DIR": uploads, "GRADIO_ANALYTICS_ENABLED": "False"}
    import gradio as gr

    from scripts.trial.page import FONTS, STYLE, build_page

    page = build_page(session)
    theme = gr.themes.Default(font=FONTS, font_mono=["monospace"])
    how = {"share": False, "quiet": True, "prevent_thread_lock": True, "max_file_size": MOST_UPLOAD}
    page.launch(server_name=HOST, server_port=port, theme=theme, css=STYLE, footer_links=[], **how)
    return page
