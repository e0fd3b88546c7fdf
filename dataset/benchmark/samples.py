"""What is read from a benchmark: samples, their candidate masks, and problems of the data.

Plain values only; `annotations` reads them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from utils.audit import Audit


@dataclass(frozen=True)
class Candidate:
    """One mask of a sample; `audit` is its ground truth. The action is kept as the file spells it, because the scorer
    normalises it (`utils.audit`).
    """

    mask_path: Path
    mask_name: str  # the path as the split file has it
    audit: Audit
    rank: int | None = None
    response: str | None = None


@dataclass(frozen=True)
class AuditSample:
    """A video, an expression and one frame, with the masks that may be audited there."""

    uid: str
    vid: str
    expression: str
    frame_idx: int | str
    frame_path: Path
    video_paths: tuple[Path, ...]
    audio_path: Path
    candidates: tuple[Candidate, ...]
    protocol: str  # "train", "image" or "video": decides the wording of the prompt

    def keeping(self, wanted: Callable[[Candidate], bool]) -> AuditSample:
        """The same sample with the wanted candidates only."""
        return replace(self, candidates=tuple(c for c in self.candidates if wanted(c)))


@dataclass(frozen=True)
class Problem:
    """One problem of the data. `mask_path` is None when the whole uid is affected."""

    uid: str
    text: str
    mask_path: Path | None = None

    def __str__(self) -> str:
        return f"{self.uid}: {self.text}"


@dataclass
class Benchmark:
    """What one run reads. `passed_over`: reason -> number of entries that are right but not part of this run.

    `doubts`: what is strange about entries that can be used, as sentences.
    """

    root: Path
    samples: list[AuditSample] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    passed_over: Counter = field(default_factory=Counter)
    files: list[Path] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    def requests(self) -> list[tuple[int, int]]:
        """(sample index, candidate index) of every mask, in the published order of evaluation."""
        pairs = [(s, c) for s, sample in enumerate(self.samples) for c in range(len(sample.candidates))]
        if any(sample.protocol == "video" for sample in self.samples):
            first_seen = {uid: i for i, uid in enumerate(dict.fromkeys(sample.uid for sample in self.samples))}
            pairs.sort(key=lambda pair: self._video_order(first_seen, *pair))
        return pairs

    def _video_order(self, first_seen: dict[str, int], sample_index: int, candidate_index: int) -> tuple:
        """Video mode walks uid by uid, then mask types alphabetically, then frames, then candidates."""
        sample = self.samples[sample_index]
        return first_seen[sample.uid], sample.candidates[candidate_index].audit.mask_type, sample_index, candidate_index

    def without(self, problems: list[Problem]) -> Benchmark:
        """The same benchmark without the affected uids and masks, and without samples that have no mask left."""
        bad_uids = {problem.uid for problem in problems if problem.mask_path is None}
        bad_masks = {(problem.uid, problem.mask_path) for problem in problems}
        kept = [
            sample.keeping(lambda c, uid=sample.uid: (uid, c.mask_path) not in bad_masks)
            for sample in self.samples
            if sample.uid not in bad_uids
        ]
        return replace(self, samples=[sample for sample in kept if sample.candidates])
