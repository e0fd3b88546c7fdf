"""What is asked: the masks of a test split, drawn videos, examples before the question; and where it is kept."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from configs.baselines import BaselineArguments
from dataset.benchmark.annotations import read_test, read_train
from dataset.benchmark.samples import Benchmark
from dataset.text.others_prompt import prompt_digest
from scripts.answering.answerer import AuditRequest
from scripts.baselines.kept import KeptReplies
from scripts.baselines.question import Asking, Turn, example_turns
from scripts.evaluate.results import set_aside, write_results
from utils.mask_types import PAPER_TYPES
from utils.scores.scoring import ResultNames
from utils.splits import videos_by_seed


@dataclass
class Job:
    """What is asked, and where all that comes back is kept. `model`: its name."""

    args: BaselineArguments
    model: str
    folder: Path
    names: ResultNames
    benchmark: Benchmark
    requests: list[AuditRequest]
    kept: KeptReplies

    def asking(self, media: tuple[str, ...] | None = None) -> Asking:
        """How masks are asked about. `media`: those that are sent, if not all that the settings name."""
        sent = tuple(self.args.media) if media is None else media
        if self.args.examples and "mask" not in sent:
            raise ValueError("--examples: expected a model that is shown the mask, got one that is not")
        return Asking(self.args.view, sent, examples_of(self.args))

    def finish(self, records: list[dict], questions: Collection[str], settings: dict) -> None:
        """Score the records, write the results, and print them. `questions`: digests of those that were answered;
        `settings`: more of them for run.json.
        """
        args, names = self.args, self.names
        set_aside(
            self.folder, [name for name in (names.metrics, names.predictions, names.video_avg, "run.json") if name]
        )
        answers = [self.kept.answers[question] for question in questions]
        settings = asdict(args) | {"model": self.model, "prompt_sha256": prompt_digest()} | settings
        print(write_results(self.folder, names, args, self.benchmark, records, settings, args.level))
        counts = Counter(row["outcome"] for row in answers)
        price = f"; paid {self.kept.paid:.4f} USD" if self.kept.paid else ""
        print(f"replies: {', '.join(f'{kind} {count}' for kind, count in counts.most_common())}{price}")
        print(f"written to {self.folder}")


class Records(list):
    """Records of answers, in order."""

    def add(self, records: list[dict]) -> None:
        self.extend(records)


def read_split(args: BaselineArguments) -> Benchmark:
    return read_test(args.data_dir, args.test_name, args.eval_mode, args.mask_type_filter, args.mask_rank_filter)


def chosen_videos(benchmark: Benchmark, args: BaselineArguments) -> Benchmark:
    """The benchmark with the masks of --max_videos videos only."""
    chosen = videos_by_seed([sample.vid for sample in benchmark.samples], args.max_videos, args.seed)
    return replace(benchmark, samples=[sample for sample in benchmark.samples if sample.vid in chosen])


def examples_of(args: BaselineArguments) -> tuple[Turn, ...]:
    """Masks of the training split with their audits, drawn by the seed: one type after the other, each from its own
    video.
    """
    if not args.examples:
        return ()
    rng = random.Random(args.seed)
    samples = read_train(args.data_dir).samples
    rng.shuffle(samples)
    turns: list[Turn] = []
    for number in range(args.examples):
        wanted = PAPER_TYPES[number % len(PAPER_TYPES)]
        pairs = ((s, c) for s in samples for c in s.candidates if c.audit.mask_type == wanted and c.audit.action)
        sample, candidate = next(pairs, (None, None))
        if sample is None:
            raise ValueError(f"--examples: expected a training mask of type {wanted} in another video, got none")
        turns += example_turns(AuditRequest(sample, candidate))
        samples = [one for one in samples if one.vid != sample.vid]
    return tuple(turns)
