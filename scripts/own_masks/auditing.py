"""Audits of many masks of one's own: read, asked about in batches, logged, and written."""

from __future__ import annotations

import logging
from pathlib import Path

from tqdm import tqdm

from configs.audit import AuditArguments
from configs.model import ModelArguments
from dataset.features.names import forget_digests
from dataset.media.decoded import decode_frame, forget_decoded
from dataset.media.images import read_mask
from models.weights.bundle import AuditorBundle
from models.weights.checkpoint import check_auditor
from scripts.answering.audit_result import AuditResult, result_of
from scripts.answering.basis import Basis, model_basis, request_bases
from scripts.answering.records import mask_identity, reply_of
from scripts.answering.stored_answers import Logs, collect, log_answers, resume
from scripts.answering.tensor_answerer import TensorAnswerer
from scripts.clips.files import ClipFiles, audit_request, find_clip, find_mask, fitted_mask, media_files
from scripts.clips.store import ClipNames
from scripts.evaluate.results import set_aside
from scripts.own_masks.masks import Asked, OwnMask, Source
from scripts.own_masks.outputs import ALL, CLIPS, MASKS, RESULTS, write_audits
from scripts.own_masks.sources import open_source
from scripts.program import resolve_runtime
from scripts.session import AuditSession
from utils.locks import only_one
from utils.run_record import write_run_record
from utils.whole_files import own_folder

logger = logging.getLogger("audit")


def audit_own_masks(model_args: ModelArguments, args: AuditArguments) -> None:
    """Read all masks, load the auditor, ask about those that have no answer yet, write and print."""
    folder = Path(args.output)
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"--output {folder}: expected a folder, got a file")
    check_auditor(args.auditor, model_args)
    forget_decoded()
    forget_digests()
    source = open_source(args)
    own_folder(folder)
    with only_one(folder / ".lock", f"audit that writes to {folder}"):
        if (folder / RESULTS).is_file() and (aside := set_aside(folder, ALL)):
            print(f"the audits of an earlier run go to {aside}")
        asked = prepare(source, folder)
        device, dtype = resolve_runtime(args)
        bundle = AuditorBundle.from_pretrained(args.auditor, model_args, dtype)
        basis = model_basis(bundle, model_args, args, str(dtype))
        session = AuditSession.of(bundle, args, device, TensorAnswerer)
        results = ask(session, asked, basis, folder)
        settings = {**vars(model_args), **vars(args), "resolved_dtype": str(dtype), "resolved_device": str(device)}
        settings |= {"auditor_card": bundle.about.card and vars(bundle.about.card)}
        files = dict.fromkeys(path for one in asked for path in media_files(one.request))
        write_run_record(folder, settings, files, seed=None, counts={"masks": len(asked)})
        print(write_audits(folder, asked, results, bundle.about))
        Logs(folder, RESULTS).remove()
    for sentence in source.about():
        print(sentence)
    print(f"written to {folder}")
    if args.report:
        from scripts.reporting.build import write_report  # late: imports matplotlib and pandas

        print(f"written: {write_report(folder)}")


def prepare(source: Source, folder: Path) -> list[Asked]:
    """Every mask as a request, those of one clip one after the other. Clips and masks that are no files are written."""
    namer, clips, asked = ClipNames(), {}, []
    seen: set[str] = set()
    for number, own in enumerate(tqdm(source.masks, "reading masks", source.count, unit="mask")):
        if own.name in seen:
            raise ValueError(f"{own.name}: expected each mask once, got it twice")
        seen.add(own.name)
        name = namer.name(own.request)
        if name not in clips:
            clips[name] = find_clip(own.request, folder / CLIPS / name)
        asked.append(_asked(own, clips[name], name, folder / MASKS / f"{number:06d}.png"))
    if not asked:
        raise ValueError("expected masks to audit, got none")
    order = {name: place for place, name in enumerate(clips)}
    return sorted(asked, key=lambda one: order[one.request.sample.vid])  # stable: as they were given, clip by clip


def _asked(own: OwnMask, clip: ClipFiles, clip_name: str, mask_path: Path) -> Asked:
    mask_file, _ = find_mask(own.request, mask_path)
    request = audit_request(own.request, clip, (mask_file, own.name), clip_name)
    frame, mask = decode_frame(request.sample.frame_path), read_mask(mask_file)
    fitted_mask(mask, frame.shape[:2], own.name)  # warns of an empty one, or of another size
    return Asked(own, request, clip.shown)


def ask(session: AuditSession, asked: list[Asked], model: Basis, folder: Path) -> list[AuditResult]:
    """The audit of each mask, in order; those of an interrupted run that hold are not asked for again."""
    requests, dataset = [one.request for one in asked], session.answerer.items.dataset
    dataset.samples = list(dict.fromkeys(request.sample for request in requests))
    dataset.check_texts()
    masks = [mask_identity(request) for request in requests]
    bases = dict(zip(masks, request_bases(dataset, requests, model), strict=True))
    logs = Logs(folder, RESULTS)
    held = resume(logs, bases)
    todo = [request for request, mask in zip(requests, masks, strict=True) if mask not in held]
    log_answers(session.answerer, todo, logs.of(0), bases, batch_size=session.args.batch_size)
    return [result_of(reply_of(record), session.bundle.about) for record in collect(logs, masks, bases)]
