"""Audits of candidates' masks: each mask is asked about once, however many candidates have it, and kept on disk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from configs.model import ModelArguments
from configs.runtime import AnsweringArguments
from dataset.batches.audit_dataset import build_dataset
from dataset.benchmark.samples import AuditSample, Candidate
from dataset.media.lengths import NUM_FRAMES
from dataset.referring.expressions import Expression
from dataset.referring.layout import ReferringData
from models.weights.bundle import AuditorBundle
from models.weights.checkpoint import find_auditor
from scripts.answering.answerer import AuditRequest, Reply
from scripts.answering.audit_loop import audit_all
from scripts.answering.tensor_answerer import TensorAnswerer
from scripts.program import resolve_runtime
from scripts.repair.candidates import Candidate as MaskCandidate
from scripts.repair.candidates import CandidateStore
from scripts.repair.verdicts import FrameAudit, Verdict, read_audit_of, video_verdict
from utils.audit import Audit
from utils.record_log import RecordLog


@dataclass(frozen=True)
class Wanted:
    """A candidate of an expression, and the frames whose masks are to be audited."""

    row: Expression
    candidate: MaskCandidate
    frames: tuple[int, ...]


class CandidateAudits:
    """Asks an auditor about masks, and keeps its answers by expression, frame and mask."""

    def __init__(self, answerer: TensorAnswerer, data: ReferringData, store: CandidateStore, log: RecordLog):
        self.answerer, self.data, self.store, self.log = answerer, data, store, log
        self.answers = {_identity(record): record for record in log.records}

    def ask(self, wanted: Iterable[Wanted], title: str) -> None:
        """Ask about every mask that has no answer yet."""
        requests = {}
        for one in wanted:
            for frame in one.frames:
                name = (one.row.key, frame, one.candidate.digests[frame])
                if name not in self.answers:
                    requests.setdefault(name, self._request(one.row, one.candidate, frame))
        ordered = [requests[name] for name in sorted(requests)]
        if ordered:
            audit_all(self.answerer, ordered, self, _record_of, batch_size=self.answerer.args.batch_size, title=title)

    def add(self, records: list[dict]) -> None:
        self.log.add(records)
        self.answers |= {_identity(record): record for record in records}

    def verdict(self, one: Wanted, rule: str) -> Verdict:
        """Raises KeyError for a mask that has not been asked about."""
        return video_verdict([self._audit(one, frame) for frame in one.frames], rule)

    def count(self, wanted: Sequence[Wanted]) -> int:
        """How many masks these are."""
        return len({(one.row.key, frame, one.candidate.digests[frame]) for one in wanted for frame in one.frames})

    def _audit(self, one: Wanted, frame: int) -> FrameAudit:
        record = self.answers[one.row.key, frame, one.candidate.digests[frame]]
        return read_audit_of(frame, record["raw_output"], record["shares"], not one.candidate.areas[frame])

    def _request(self, row: Expression, candidate: MaskCandidate, frame: int) -> AuditRequest:
        vid = self.data.media_vid(row)
        frames = tuple(self.data.frame_path(vid, number) for number in range(NUM_FRAMES))
        sample = AuditSample(
            uid=row.key,
            vid=row.vid,
            expression=row.text.strip(),
            frame_idx=frame,
            frame_path=frames[frame],
            video_paths=frames,
            audio_path=self.data.audio_path(row),
            candidates=(),  # so that the masks of one frame have equal samples, whose prompt is read once
            protocol="image",
        )
        path = self.store.mask_path(row.key, candidate, frame)
        return AuditRequest(sample, Candidate(path, candidate.digests[frame], Audit(None, None, None)))


def load_auditor(folder: str, model_args: ModelArguments, args: AnsweringArguments) -> tuple[TensorAnswerer, dict]:
    """The auditor, and what must be the same for its answers to be used again."""
    device, dtype = resolve_runtime(args)
    bundle = AuditorBundle.from_pretrained(folder, model_args, dtype)
    if args.merge_lora:
        bundle.auditor.merge_lora()
    auditor = bundle.auditor.to(device)
    dataset = build_dataset([], bundle.tokenizer, bundle.pixels, auditor.config, positions=auditor.positions)
    weights = [path for path in find_auditor(folder).rglob("*") if path.suffix in (".bin", ".safetensors")]
    run = {
        "model": vars(model_args),
        "auditor": sorted([str(path), path.stat().st_size, path.stat().st_mtime_ns] for path in weights),
        "answers": [args.max_new_tokens, str(dtype), args.merge_lora],
    }
    return TensorAnswerer(auditor, bundle.tokenizer, dataset, args), run


def audited_frames(row: Expression, first: MaskCandidate, frames: str) -> tuple[int, ...]:
    """`frames`: key, all, or a number K. Without a key frame, the frame in which the first mask is largest."""
    if frames == "all":
        return tuple(range(NUM_FRAMES))
    if frames != "key":
        return tuple(range(0, NUM_FRAMES, int(frames)))
    largest = max(range(NUM_FRAMES), key=first.areas.__getitem__)
    return (largest if row.key_frame is None else row.key_frame,)


def _record_of(request: AuditRequest, reply: Reply) -> dict:
    return {
        "key": request.sample.uid,
        "frame": request.sample.frame_idx,
        "mask": request.candidate.mask_name,
        "raw_output": reply.text,
        "shares": reply.shares,
    }


def _identity(record: dict) -> tuple[str, int, str]:
    return record["key"], record["frame"], record["mask"]
