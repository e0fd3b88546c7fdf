"""The work of scripts.audit: audit one mask of a clip, and write the answer as JSON and as a picture."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from time import perf_counter

from accelerate.utils import send_to_device

from configs.audit import AuditArguments
from configs.model import ModelArguments
from dataset.batches.audit_dataset import build_dataset
from dataset.batches.collator import AuditCollator
from dataset.benchmark.samples import AuditSample, Candidate
from dataset.media.audio import read_fbank
from dataset.media.clip import SECONDS, SLACK, extract_clip, find_frames
from dataset.media.images import check_image, read_mask, read_upright_frame, resize_mask
from dataset.media.waveform import SAMPLE_RATE, load_waveform
from models.decoding.answers import write_answers
from models.weights.bundle import AuditorBundle
from models.weights.checkpoint import check_auditor, find_auditor
from scripts.program import resolve_runtime
from utils.audit import Audit, parse_audit
from utils.formatting import one_line
from utils.mask_modes import mask_views
from utils.reports.audit_picture import NOT_PARSED, audit_picture
from utils.run_record import fingerprint, write_run_record
from utils.whole_files import write_json

logger = logging.getLogger("audit")


def audit_clip(model_args: ModelArguments, args: AuditArguments) -> None:
    """Check the request, read the clip, load the auditor, generate its answer, write and print it."""
    times, folder = Stopwatch(), Path(args.output)
    check_request(model_args, args)
    device, dtype = resolve_runtime(args)
    sample = read_sample(args, folder)
    frame, mask = check_media(sample)
    folder.mkdir(parents=True, exist_ok=True)
    times.lap("media")
    bundle = AuditorBundle.from_pretrained(args.auditor, model_args, dtype)
    auditor, tokenizer = bundle.auditor, bundle.tokenizer
    if args.merge_lora:
        auditor.merge_lora()
    auditor.to(device)
    times.lap("load")
    dataset = build_dataset([sample], tokenizer, bundle.pixels, auditor.config, fixed_pairs=[(0, 0)])
    batch = AuditCollator(tokenizer.pad_token_id)([dataset[0]])
    ((ids, text),) = write_answers(auditor, tokenizer, send_to_device(batch, device), args.max_new_tokens)
    times.lap("audit")

    audit = parse_audit(text)
    write_json(folder / "audit.json", describe(args, sample, audit, text, ids, times.seconds))
    settings = {**vars(model_args), **vars(args), "resolved_dtype": str(dtype), "resolved_device": str(device)}
    write_run_record(folder, settings, media_files(sample), seed=None)
    audit_picture(frame, mask, sample.expression, audit, folder / "audit.png", readable(text))
    print(render(audit, text))
    print(f"written to {folder}")


def check_request(model_args: ModelArguments, args: AuditArguments) -> None:
    """The checks that need no media to be decoded. Raises ValueError, FileNotFoundError."""
    if Path(args.output).exists() and not Path(args.output).is_dir():
        raise ValueError(f"--output {args.output}: expected a folder, got a file")
    if model_args.mask_encode_mode:
        mask_views(model_args.mask_encode_mode)
    read_mask(Path(args.mask))
    check_auditor(args.auditor, model_args)


def read_sample(args: AuditArguments, folder: Path) -> AuditSample:
    """The clip as a sample of the benchmark's image protocol; a video's frames and sound are written to `folder`."""
    if args.video is not None:
        frame_paths, audio_path = extract_clip(args.video, folder, args.audio)
    else:
        frame_paths, audio_path = find_frames(args.frames), Path(args.audio)
        seconds = len(load_waveform(audio_path)) / SAMPLE_RATE
        if abs(seconds - SECONDS) > SLACK:
            share = seconds / len(frame_paths)
            logger.warning("%s: lasts %.1f s, not %g s; each frame gets %.2f s", audio_path, seconds, SECONDS, share)
    return AuditSample(
        uid="clip",
        vid="clip",
        expression=args.expression.strip(),
        frame_idx=args.frame,
        frame_path=frame_paths[args.frame],
        video_paths=tuple(frame_paths),
        audio_path=audio_path,
        candidates=(Candidate(Path(args.mask), args.mask, Audit(None, None, None)),),
        protocol="image",
    )


def check_media(sample: AuditSample):
    """The audited frame (H, W, 3) uint8 and its mask (H, W) bool in the frame's size, once all media have been decoded.

    Logs a warning for a mask that is empty, full, or of another size. Raises FileNotFoundError, ValueError.
    """
    for path in sample.video_paths:
        check_image(path)
    read_fbank(sample.audio_path)
    mask_path = sample.candidates[0].mask_path
    frame, mask = read_upright_frame(sample.frame_path), read_mask(mask_path)
    if mask.shape != frame.shape[:2]:
        (height, width), (frame_height, frame_width) = mask.shape, frame.shape[:2]
        sizes = f"{width} x {height}, its frame {frame_width} x {frame_height}"
        logger.warning("%s: is %s (width x height); the mask is resized", mask_path, sizes)
    if mask.all() or not mask.any():
        logger.warning("%s: the mask %s", mask_path, "covers everything" if mask.all() else "is empty")
    return frame, resize_mask(mask, frame.shape[:2])


class Stopwatch:
    """`seconds` of each lap by name."""

    def __init__(self):
        self.seconds: dict[str, float] = {}
        self.last = perf_counter()

    def lap(self, name: str) -> None:
        now = perf_counter()
        self.seconds[name], self.last = round(now - self.last, 3), now


def media_files(sample: AuditSample) -> list[Path]:
    """The files that the auditor is given: frames, sound and mask."""
    return [*sample.video_paths, sample.audio_path, sample.candidates[0].mask_path]


def describe(args: AuditArguments, sample: AuditSample, audit: Audit, text: str, ids: list[int], seconds: dict) -> dict:
    """audit.json; a field of the audit that did not parse is null. `inputs` holds the beginning of each SHA-256."""
    return {
        "expression": sample.expression,
        "frame": args.frame,
        "frame_path": str(sample.frame_path),
        "mask": args.mask,
        "mask_type": audit.mask_type,
        "iou": audit.iou,
        "action": audit.action,
        "raw_output": text,
        "generated_ids": ids,
        "auditor": str(find_auditor(args.auditor)),
        "video": args.video,
        "inputs": {str(path): fingerprint(path) for path in media_files(sample)},
        "seconds": seconds,
    }


def readable(text: str) -> str:
    """An answer without its tags."""
    return re.sub(r" (?=[.,;:!?](\s|$))", "", one_line(re.sub(r"</?\w+>", " ", text)))


def render(audit: Audit, text: str) -> str:
    """The audit as text for the terminal, then the answer without its tags."""
    fields = {
        "mask type": audit.mask_type,
        "IoU": None if audit.iou is None else f"{audit.iou:.4f}",
        "action": audit.action,
    }
    lines = [f"{name:<10} {NOT_PARSED if value is None else one_line(value)}" for name, value in fields.items()]
    return "\n".join([*lines, f"{'answer':<10} {readable(text)}"])
