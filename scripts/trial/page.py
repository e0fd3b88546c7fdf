"""The page, made with Gradio. Everything that comes from data or from the user is shown as plain text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path

import gradio as gr
import numpy as np

from dataset.media.images import read_upright_frame
from dataset.media.lengths import NUM_FRAMES
from scripts.session import AuditSession
from scripts.trial.asking import ask, shown_frames
from utils.formatting import one_line
from utils.reports.overlay import TINT

HEADLINE = "Is this segmentation mask right?"
BRUSH = "#" + "".join(f"{part:02x}" for part in TINT)
FONTS = ["system-ui", "sans-serif"]  # of the machine: the page loads nothing from elsewhere
STYLE = f"""
#frames .grid-wrap {{ min-height: 0; height: auto; }}
#frames .grid-container {{
  min-height: 0; height: auto; grid-template-columns: repeat({NUM_FRAMES // 2}, minmax(0, 1fr)) !important;
}}
#frames .gallery-item, #frames .thumbnail-item {{ width: 100%; height: auto; }}
"""
NO_VERDICT = [None, None, "", None, None]


def build_page(session: AuditSession) -> gr.Blocks:
    """Fields for clip, expression and mask on the left, the audit on the right."""
    with gr.Blocks(title="MQ-Auditor", analytics_enabled=False) as page:
        gr.Markdown(f"# {HEADLINE}")
        gr.Textbox(session.bundle.about.line(), label="auditor", interactive=False, elem_id="auditor")
        with gr.Row():
            with gr.Column():
                given, gallery = _fields()
                button = gr.Button("Audit", variant="primary", elem_id="ask")
            with gr.Column():
                problem, results = _answers()
        _connect(session, given, gallery, button, problem, results)
    return page


def _fields() -> tuple[dict, gr.Gallery]:
    given = {
        "video": gr.Video(label="1. the video", sources=["upload"], height=260, buttons=[], elem_id="video"),
        "no_audio": gr.Checkbox(label="it has no sound", elem_id="no_audio"),
    }
    gallery = gr.Gallery(
        label="2. the frame of the mask",
        columns=NUM_FRAMES // 2,
        height="auto",
        buttons=[],
        allow_preview=False,
        interactive=False,
        elem_id="frames",
    )
    given["frame"] = gr.Slider(0, NUM_FRAMES - 1, 0, step=1, label="its number", elem_id="frame")
    given["expression"] = gr.Textbox(
        label="3. what the mask should show", placeholder="the dog that barks", max_length=1000, elem_id="expression"
    )
    given["drawn"] = gr.ImageEditor(
        label="4. draw the mask",
        sources=(),
        transforms=(),
        layers=False,
        brush=gr.Brush(default_size=16, colors=[BRUSH], default_color=BRUSH, color_mode="fixed"),
        elem_id="drawn",
    )
    given["uploaded"] = gr.File(label="or a picture of it: white inside, black outside", height=110, elem_id="uploaded")
    return given, gallery


def _answers() -> tuple[gr.Textbox, list]:
    gr.Markdown("## Audit")
    problem = gr.Textbox(label="what is wrong", visible=False, elem_id="problem")
    text = gr.Textbox(label="audit", lines=8, interactive=False, elem_id="audit")
    with gr.Row():
        types = gr.Label(label="mask type", elem_id="types")
        actions = gr.Label(label="action", elem_id="actions")
    with gr.Row():
        shown = {"interactive": False, "buttons": ["download", "fullscreen"]}
        overlay = gr.Image(label="the frame and its mask", elem_id="overlay", **shown)
        kept = gr.Image(label="what the mask keeps", elem_id="kept", **shown)
    notes = gr.Textbox(label="notes", lines=2, interactive=False, elem_id="notes")
    return problem, [overlay, kept, text, types, actions, notes]


def _connect(
    session: AuditSession, given: dict, gallery: gr.Gallery, button: gr.Button, problem: gr.Textbox, results: list
) -> None:
    """One request at a time: an auditor answers one after the other. Another clip or frame takes an audit away."""
    where, nothing = [given["video"], given["no_audio"], given["frame"]], [None, *NO_VERDICT, ""]

    def show_clip(video, no_audio, frame):
        if not video:
            return [], *nothing
        frames, said = shown_frames(session, video, no_audio)
        pictures = [read_upright_frame(path) for path in frames]
        numbered = [(picture, str(number)) for number, picture in enumerate(pictures)]
        return numbered, pictures[int(frame)], *NO_VERDICT, said

    def show_frame(video, no_audio, frame):
        if not video:
            return nothing
        frames, said = shown_frames(session, video, no_audio)
        return read_upright_frame(frames[int(frame)]), *NO_VERDICT, said

    def audit(video, no_audio, frame, expression, drawn, uploaded):
        found = ask(session, video, no_audio, int(frame), expression, drawn_mask(drawn), uploaded)
        notes = _without_folders(found.notes, [video, uploaded])
        return found.overlay, found.kept, found.text, found.types, found.actions, notes

    def listen(event, work, inputs, outputs, empty):
        event(
            told(work, empty),
            inputs,
            [problem, *outputs],
            concurrency_id="auditor",
            concurrency_limit=1,
            api_name=False,
        )

    shown = [given["drawn"], *results]
    for field in where[:2]:
        listen(field.change, show_clip, where, [gallery, *shown], [[], *nothing])
    listen(given["frame"].change, show_frame, where, shown, nothing)
    gallery.select(_number_of, None, given["frame"], api_name=False)
    listen(button.click, audit, list(given.values()), results, [*NO_VERDICT, ""])


def _number_of(event: gr.SelectData) -> int:
    """The picture of the gallery that was clicked."""
    return event.index


def told(work: Callable, empty: list) -> Callable:
    """`work` with what is wrong in front of its results; they are `empty` then."""

    @wraps(work)
    def tell(*given):
        try:
            return [gr.update(value="", visible=False), *work(*given)]
        except (OSError, ValueError) as error:
            return [gr.update(value=_sentence(error, given), visible=True), *empty]

    return tell


def _sentence(error: Exception, given: Iterable[object]) -> str:
    """Without the dashes of a command line."""
    return one_line(_without_folders(str(error), given).removeprefix("--"))


def _without_folders(text: str, given: Iterable[object]) -> str:
    """Without the folders that uploads lie in."""
    for upload in given:
        if isinstance(upload, str) and "/" in upload:
            text = text.replace(upload, Path(upload).name)
    return text


def drawn_mask(editor: dict | None) -> np.ndarray | None:
    """(H, W) bool: where any layer of the editor's picture was painted. None without a layer."""
    layers = [np.asarray(layer) for layer in (editor or {}).get("layers") or [] if layer is not None]
    painted = [layer[..., 3] > 0 for layer in layers if layer.ndim == 3 and layer.shape[2] == 4]
    return np.logical_or.reduce(painted) if painted else None
