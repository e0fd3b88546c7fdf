"""The work of scripts.audit: audit one mask of a clip, and write the answer as JSON and as a picture."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from time import perf_counter

import numpy as np

from configs.audit import AuditArguments
from configs.model import ModelArguments
from configs.runtime import AnsweringArguments
from dataset.media.audio import read_fbank
from dataset.media.images import read_mask, read_upright_frame
from models.weights.about import About
from models.weights.checkpoint import check_auditor, find_auditor
from scripts.answering.answerer import AuditRequest
from scripts.answering.audit_result import cautions
from scripts.clips.files import audit_request, find_clip, find_mask, fitted_mask, media_files
from scripts.clips.request import ClipRequest
from scripts.program import resolve_runtime
from scripts.session import AuditResult, AuditSession
from utils.certainty.belief import in_words
from utils.certainty.contradictions import contradictions
from utils.formatting import one_line
from utils.mask_modes import mask_views
from utils.reports.audit_picture import NOT_PARSED, audit_picture
from utils.run_record import fingerprint, write_run_record
from utils.whole_files import write_json


def audit_clip(model_args: ModelArguments, args: AuditArguments) -> None:
    """Check the request, read the clip, load the auditor, generate its answer, write and print it."""
    times, folder = Stopwatch(), Path(args.output)
    check_request(model_args, args)
    device, dtype = resolve_runtime(args)
    request, shown = read_request(args, folder)
    frame, mask = check_media(request)
    folder.mkdir(parents=True, exist_ok=True)
    times.lap("media")
    runtime = {field.name: getattr(args, field.name) for field in fields(AnsweringArguments)}
    session = AuditSession.load(args.auditor, model_args, AnsweringArguments(**runtime))
    times.lap("load")
    (result,) = session.ask([request])
    times.lap("audit")

    about = session.bundle.about
    write_json(folder / "audit.json", describe(args, request, result, shown, times.seconds) | about_record(about))
    settings = {**vars(model_args), **vars(args), "resolved_dtype": str(dtype), "resolved_device": str(device)}
    write_run_record(folder, settings, media_files(request), seed=None)
    said = request.sample.expression, result
    audit_picture(frame, mask, *said, folder / "audit.png", result.text, cautions(result))
    print(render(result, about))
    if shown != "all ten frames":
        print(f"{'shown':<10} {shown}")
    print(f"written to {folder}")


def check_request(model_args: ModelArguments, args: AuditArguments) -> None:
    """The checks that need no media to be decoded. Raises ValueError, FileNotFoundError."""
    if Path(args.output).exists() and not Path(args.output).is_dir():
        raise ValueError(f"--output {args.output}: expected a folder, got a file")
    if model_args.mask_encode_mode:
        mask_views(model_args.mask_encode_mode)
    read_mask(Path(args.mask[0]))
    check_auditor(args.auditor, model_args)


def read_request(args: AuditArguments, folder: Path) -> tuple[AuditRequest, str]:
    """The mask and its clip, and what is shown of it; a video's frames and sound are written to `folder`."""
    given = {field.name: getattr(args, field.name) for field in fields(ClipRequest)}
    request = ClipRequest(**given | {"expression": args.expression[0], "mask": args.mask[0]})
    clip = find_clip(request, folder)
    return audit_request(request, clip, find_mask(request, folder)), clip.shown


def check_media(request: AuditRequest) -> tuple[np.ndarray, np.ndarray]:
    """The audited frame (H, W, 3) uint8 and its mask (H, W) bool in the frame's size, once all media have been decoded.

    Logs a warning for a mask that is empty or of another size. Raises FileNotFoundError, ValueError.
    """
    read_fbank(request.sample.audio_path)
    frame, mask = read_upright_frame(request.sample.frame_path), read_mask(request.candidate.mask_path)
    return frame, fitted_mask(mask, frame.shape[:2], request.candidate.mask_name)


class Stopwatch:
    """`seconds` of each lap by name."""

    def __init__(self):
        self.seconds: dict[str, float] = {}
        self.last = perf_counter()

    def lap(self, name: str) -> None:
        now = perf_counter()
        self.seconds[name], self.last = round(now - self.last, 3), now


def describe(
    args: AuditArguments, request: AuditRequest, result: AuditResult, shown: str, seconds: dict[str, float]
) -> dict:
    """audit.json; a field of the audit that did not parse is null. `inputs` holds the beginning of each SHA-256.

    `frame` or `at` is the mask's as its clip counts them, `place` which of the ten that are shown it is.
    """
    return {
        "expression": request.sample.expression,
        "frame": request.sample.frame_idx if args.frame is None and args.at is None else args.frame,
        "at": args.at,
        "place": request.sample.frame_idx,
        "shown": shown,
        "frame_path": str(request.sample.frame_path),
        "mask": args.mask[0],
        "mask_type": result.mask_type,
        "iou": result.iou,
        "action": result.action,
        "belief": result.belief.as_record(),
        "contradictions": contradictions(result),
        "clip_distance": result.clip_distance,
        "unlike_training": result.is_unlike_training if result.clip_distance is not None else None,
        "raw_output": result.raw_output,
        "generated_ids": result.generated_ids,
        "auditor": str(find_auditor(args.auditor)),
        "video": args.video,
        "inputs": {str(path): fingerprint(path) for path in media_files(request)},
        "seconds": seconds,
    }


def about_record(about: About) -> dict:
    """What audit.json says of the auditor."""
    calibration = about.calibration
    return {
        "auditor_card": about.card and vars(about.card),
        "calibration": calibration and {"date": calibration.date, "promise": calibration.promise()},
    }


def render(result: AuditResult, about: About) -> str:
    """The audit as text for the terminal, then the answer in plain words."""
    shown = {
        "mask type": result.mask_type,
        "IoU": None if result.iou is None else f"{result.iou:.4f}",
        "action": result.action,
        "how sure": in_words(result.belief),
    }
    lines = [f"{name:<10} {NOT_PARSED if value is None else one_line(value)}" for name, value in shown.items()]
    lines += [f"{'answer':<10} {result.text}", f"{'auditor':<10} {one_line(about.line())}"]
    return "\n".join([f"{'CAREFUL':<10} {one_line(text)}" for text in cautions(result)] + lines)
