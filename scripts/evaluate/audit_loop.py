"""The evaluation loop: all masks of a run are audited in order, in batches as large as memory allows."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterator, Sequence

import torch
from accelerate.utils import send_to_device
from accelerate.utils.memory import should_reduce_batch_size
from torch.utils.data import DataLoader, Sampler
from tqdm import tqdm

from configs.evaluation import EvaluationArguments
from dataset.batches.audit_dataset import AuditDataset
from dataset.batches.collator import AuditCollator
from dataset.batches.grouping import GroupingCollator
from dataset.text.prompt import encode_text
from models.auditor.auditor import Auditor
from models.decoding.answers import write_answers
from models.decoding.drafts import Drafts
from scripts.memory import MemoryBudget
from utils.audit import all_wordings
from utils.record_log import RecordLog

logger = logging.getLogger("inference")
FIRST_SIZE, LARGEST_SIZE = 16, 256  # masks in a batch, if its size is chosen by measuring memory


class ResizableBatches(Sampler[list[int]]):
    """Batches of consecutive numbers; `size` may be changed while they are iterated over."""

    def __init__(self, first: int, last: int, size: int):
        self.first, self.last, self.size = first, last, size

    def __iter__(self) -> Iterator[list[int]]:
        end = self.first
        while end < self.last:
            start, end = end, min(end + self.size, self.last)
            yield list(range(start, end))


class AuditLoop:
    """Answers batches; where one does not fit into memory, its halves. `write`: how the auditor answers one."""

    def __init__(
        self,
        auditor: Auditor,
        tokenizer,
        dataset: AuditDataset,
        args: EvaluationArguments,
        write: Callable | None = None,
    ):
        self.auditor, self.tokenizer, self.dataset, self.args = auditor, tokenizer, dataset, args
        self.write = write or write_answers
        self.collator = (GroupingCollator if args.share_prompts else AuditCollator)(tokenizer.pad_token_id)
        self.drafts = template_drafts(auditor, tokenizer) if args.draft_answers else None
        self.budget = MemoryBudget(auditor.device, args.max_memory_gb)
        self.most = args.batch_size or LARGEST_SIZE

    def run(self, log: RecordLog, record_of) -> None:
        """Answer every mask that `log` does not hold yet, in order."""
        done = len(log.records)
        if done:
            logger.info("going on after %d masks that an interrupted run has audited", done)
        batches = ResizableBatches(done, len(self.dataset), self.args.batch_size or FIRST_SIZE)
        loader = DataLoader(
            self.dataset, batch_sampler=batches, num_workers=self.args.num_workers, collate_fn=self._numbered
        )
        with tqdm(total=len(self.dataset), initial=done, desc=f"auditing {self.args.test_name}", unit="mask") as bar:
            for count, batch in loader:
                start = len(log.records)
                answers = self._answer(range(start, start + count), batch)
                log.add([record_of(self.dataset, start + i, *answer) for i, answer in enumerate(answers)])
                bar.update(len(answers))
                if not self.args.batch_size or self.budget.too_many:
                    batches.size = self.budget.next_size(self.most)

    def _numbered(self, items: list[dict]) -> tuple[int, dict]:
        return len(items), self.collator(items)

    def _answer(self, numbers: Sequence[int], batch: dict) -> list[tuple[list[int], str]]:
        """The answers of one batch; of its halves, if it does not fit into memory.

        Raises ValueError if one mask alone does not fit.
        """
        count = len(numbers)
        try:
            with self.budget.running(count):
                batch = send_to_device(batch, self.auditor.device)
                return self.write(self.auditor, self.tokenizer, batch, self.args.max_new_tokens, self.drafts)
        except RuntimeError as error:
            if not should_reduce_batch_size(error):
                raise
            self.budget.did_not_fit(count)
        if count == 1:
            raise ValueError(
                f"{self.auditor.device}: expected memory for one mask, got too little; try --dtype bfloat16"
            )
        logger.warning("%d masks do not fit into memory together: going on with half as many", count)
        del batch
        gc.collect()
        torch.cuda.empty_cache()
        halves = numbers[: count // 2], numbers[count // 2 :]
        return [
            answer for half in halves for answer in self._answer(half, self.collator([self.dataset[i] for i in half]))
        ]


def template_drafts(auditor: Auditor, tokenizer) -> Drafts:
    """Drafts from the eleven templates of answers, for the first masks of a run."""
    end = auditor.stop_ids()[0]
    return Drafts([*encode_text(tokenizer, text), end] for text in all_wordings("object", "object"))
