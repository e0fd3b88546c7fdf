"""A door for notebooks and other programs: load an auditor once, then audit masks of clips, one or many.

from scripts.session import AuditSession
session = AuditSession.from_pretrained("checkpoints/MQ-Auditor")
result = session.audit(video="clip.mp4", expression="the dog that barks", mask="mask.png", frame=7)
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
import torch

from configs.model import ModelArguments
from configs.runtime import AnsweringArguments
from dataset.batches.audit_dataset import build_dataset
from dataset.media.decoded import decode_frame, forget_decoded
from dataset.media.images import read_mask
from models.weights.bundle import AuditorBundle
from scripts.answering.answerer import AuditRequest, answer_all
from scripts.answering.audit_result import AuditResult, result_of
from scripts.answering.session_answerer import SessionAnswerer
from scripts.answering.tensor_answerer import TensorAnswerer
from scripts.clips.files import ClipFiles, audit_request, find_mask, fitted_mask, media_files
from scripts.clips.request import ClipRequest, is_path
from scripts.clips.store import MOST_CLIPS, ClipNames, ClipStore, file_states
from scripts.program import resolve_runtime

__all__ = ["AuditResult", "AuditSession", "ClipRequest"]


class AuditSession:
    """An auditor that is loaded once and asked often. Make one with `from_pretrained`.

    Frames and sound of videos and of arrays lie in a temporary folder as long as the session exists; of a clip that
    several requests share they are decoded and encoded once. Nothing else is written.
    """

    def __init__(
        self,
        bundle: AuditorBundle,
        args: AnsweringArguments | None = None,
        answerer: type[TensorAnswerer] = SessionAnswerer,
    ):
        """`bundle.auditor` lies on its device already. A SessionAnswerer reads media in this process, so that
        `args.num_workers` is unused; for thousands of masks a TensorAnswerer decodes ahead."""
        self.bundle, self.args = bundle, args or AnsweringArguments()
        auditor = bundle.auditor
        dataset = build_dataset([], bundle.tokenizer, bundle.pixels, auditor.config, positions=auditor.positions)
        known_clips = bundle.about.known_clips
        self.answerer = answerer(auditor, bundle.tokenizer, dataset, self.args, known_clips=known_clips)
        self.clips = ClipStore()
        self.seen: dict[Path, list] = {}  # files and the state in which they were read
        forget_decoded()

    @classmethod
    def from_pretrained(cls, folder: str | Path, **settings) -> AuditSession:
        """Load our auditor folder, the newest checkpoint in it, or the released pair.

        `settings` are those of the programs, by the same names, with the same defaults: `pretrained_weights_dir` and
        others of `ModelArguments`; `device`, `dtype`, `merge_lora`, `max_new_tokens`, `batch_size`, `max_memory_gb` and
        others of `AnsweringArguments`. Raises TypeError for an unknown one, otherwise FileNotFoundError and ValueError
        with the sentence of the command line.
        """
        names = {kind: {field.name for field in fields(kind)} for kind in (ModelArguments, AnsweringArguments)}
        if unknown := sorted(settings.keys() - set.union(*names.values())):
            kinds = " or ".join(kind.__name__ for kind in names)
            raise TypeError(f"from_pretrained: expected settings of {kinds}, got {', '.join(unknown)}")
        model_args, args = (kind(**{n: settings[n] for n in own & settings.keys()}) for kind, own in names.items())
        return cls.load(folder, model_args, args)

    @classmethod
    def load(cls, folder: str | Path, model_args: ModelArguments, args: AnsweringArguments) -> AuditSession:
        """As `from_pretrained`."""
        device, dtype = resolve_runtime(args)
        return cls.of(AuditorBundle.from_pretrained(folder, model_args, dtype), args, device)

    @classmethod
    def of(
        cls,
        bundle: AuditorBundle,
        args: AnsweringArguments,
        device: torch.device | str,
        answerer: type[TensorAnswerer] = SessionAnswerer,
    ) -> AuditSession:
        """Of an auditor as it was loaded: LoRA is merged if `args` say so, and the auditor is moved to the device."""
        if args.merge_lora:
            bundle.auditor.merge_lora()
        bundle.auditor.to(device)
        return cls(bundle, args, answerer)

    def audit(self, **request) -> AuditResult:
        """Audit one mask; the arguments are those of `ClipRequest`.

        Raises FileNotFoundError, and ValueError naming the file or the argument that cannot be used.
        """
        return self.audit_many([ClipRequest(**request)])[0]

    def audit_many(self, requests: Iterable[ClipRequest]) -> list[AuditResult]:
        """Audit several masks, best of few clips: requests of one clip are answered together. Results in order.

        All masks are read before the first answer, clips when their turn comes. Errors as `audit`.
        """
        requests = list(requests)
        for request in requests:
            if is_path(request.mask):
                read_mask(Path(request.mask))
        namer, results = ClipNames(), {}
        names = [namer.name(request) for request in requests]
        for group in _groups(names):
            with tempfile.TemporaryDirectory(prefix="mq-auditor-") as folder:
                asked = [self._prepare(requests[i], names[i], Path(folder, f"{i}.png")) for i in group]
                results |= zip(group, self.ask(asked), strict=True)
        return [results[i] for i in range(len(requests))]

    def clip(self, **clip) -> ClipFiles:
        """The ten frames of a clip that are shown, and its sound, as files; the arguments are those of `ClipRequest`.

        Without expression and mask. Valid until MOST_CLIPS other clips have been asked for. Errors as `audit`.
        """
        request = ClipRequest(**{"expression": "anything", "mask": np.ones((1, 1), bool), "frame": 0} | clip)
        return self.clips.find(request, ClipNames().name(request))

    def ask(self, requests: Sequence[AuditRequest]) -> list[AuditResult]:
        """Audit masks of samples, whose media are files that do not change as long as the session exists."""
        asked = answer_all(self.answerer, requests, self.args.batch_size)
        return [result_of(reply, self.bundle.about) for _, replies in asked for reply in replies]

    def _prepare(self, request: ClipRequest, name: str, mask_path: Path) -> AuditRequest:
        asked = audit_request(request, self.clips.find(request, name), find_mask(request, mask_path))
        self._forget_changed(media_files(asked))
        frame, mask = decode_frame(asked.sample.frame_path), read_mask(asked.candidate.mask_path)
        fitted_mask(mask, frame.shape[:2], asked.candidate.mask_name)  # warns of an empty one, or of another size
        return asked

    def _forget_changed(self, paths: Iterable[Path]) -> None:
        """Files may be written again between two calls."""
        states = {path: file_states(path) for path in paths}
        if any(self.seen.get(path, state) != state for path, state in states.items()):
            forget_decoded()
            self.answerer.recent.forget()
        self.seen |= states


def _groups(names: Sequence[str]) -> Iterator[list[int]]:
    """Numbers of requests, those of one clip one after the other, of MOST_CLIPS clips at most."""
    clips: dict[str, list[int]] = {}
    for i, name in enumerate(names):
        clips.setdefault(name, []).append(i)
    members = list(clips.values())
    for start in range(0, len(members), MOST_CLIPS):
        yield [i for clip in members[start : start + MOST_CLIPS] for i in clip]
