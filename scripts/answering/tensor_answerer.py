"""An auditor whose weights are here as an answerer: media are decoded ahead, prompts shared, answers drafted."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import torch
from accelerate.utils import send_to_device
from accelerate.utils.memory import should_reduce_batch_size
from torch.utils.data import DataLoader, Dataset
from transformers import PreTrainedTokenizerBase

from configs.runtime import AnsweringArguments
from dataset.batches.audit_dataset import AuditDataset
from dataset.batches.collator import AuditCollator
from dataset.batches.grouping import GroupingCollator
from dataset.batches.items import AuditItem
from dataset.text.prompt import encode_text
from models.decoding.answers import Written, write_answers
from models.decoding.drafts import ON_CPU_AT_ONCE, ON_GPU_AT_ONCE, Drafts
from models.language.audio_visual import AudioVisualLM
from scripts.answering.answerer import Answerer, AuditRequest, OutOfMemory, Reply
from scripts.answering.clip_distances import clip_distances, encoded
from scripts.memory import MemoryBudget
from scripts.stopping import leave_signals_to_the_main_process
from utils.audit import all_wordings
from utils.batches import GroupedBatch, PromptBatch
from utils.certainty.known_clips import KnownClips
from utils.certainty.shares import AnswerForms

Numbered = tuple[int, AuditRequest]  # the number of the request's sample in its batch, and the request
Write = Callable[..., list[Written]]


class TensorAnswerer(Answerer):
    """Answers with an auditor on its device. `dataset` makes items of requests, of any samples.

    `args` say how many processes decode, how much memory may be used, how long an answer may be, and whether prompts
    are shared and answers drafted. `write`: how a batch is answered, if not with `write_answers`. `first_answers`:
    texts that the first answers may be like; by default those of audits. Only audits have shares. `known_clips`: where
    they are given, replies say how far their clips are from them.
    """

    def __init__(
        self,
        auditor: AudioVisualLM,
        tokenizer: PreTrainedTokenizerBase,
        dataset: AuditDataset,
        args: AnsweringArguments,
        write: Write | None = None,
        first_answers: Iterable[str] | None = None,
        known_clips: KnownClips | None = None,
    ):
        self.auditor, self.tokenizer, self.args = auditor, tokenizer, args
        self.write = write or write_answers
        self.known_clips = known_clips if known_clips and "video" not in dataset.without else None
        self.items = RequestItems(dataset)
        self.collator = (GroupingCollator if args.share_prompts else AuditCollator)(tokenizer.pad_token_id)
        is_auditor = first_answers is None
        self.forms = AnswerForms(partial(encode_text, tokenizer), tokenizer.decode) if is_auditor else None
        texts = all_wordings("object", "object") if is_auditor else first_answers
        self.drafts = template_drafts(auditor, tokenizer, texts) if args.draft_answers else None
        self.budget = MemoryBudget(auditor.device, args.max_memory_gb)
        self.ready: tuple[list[AuditRequest], PromptBatch | GroupedBatch] | None = None  # read ahead by `look_ahead`

    def look_ahead(self, batches: Iterable[list[AuditRequest]]) -> Iterator[list[AuditRequest]]:
        """Processes of a DataLoader decode and collate the next batches."""
        taken: deque[list[AuditRequest]] = deque()
        loader = DataLoader(
            self.items,
            batch_sampler=_taken_batches(batches, taken),
            num_workers=self.args.num_workers,
            collate_fn=self.collator,
            worker_init_fn=leave_signals_to_the_main_process,
        )
        for batch in loader:
            requests = taken.popleft()
            self.ready = requests, batch
            del batch
            yield requests

    def answer(self, requests: Sequence[AuditRequest]) -> list[Reply]:
        """Raises OutOfMemory as `Answerer.answer`."""
        batch = None
        try:
            with self.budget.running(len(requests)):
                batch = send_to_device(self.batch_of(requests), self.auditor.device)
                if self.known_clips:
                    batch = encoded(self.auditor, batch)
                written = self._write(batch)
                distances = clip_distances(self.known_clips, batch) if self.known_clips else [None] * len(written)
            pairs = zip(written, distances, strict=True)
            return [Reply(one.text, one.ids, self._shares(one), distance) for one, distance in pairs]
        except RuntimeError as error:
            if not should_reduce_batch_size(error):
                raise
        # The error has gone, and with it what its traceback held.
        del batch
        gc.collect()
        torch.cuda.empty_cache()
        self.budget.did_not_fit(len(requests))
        count = "one mask" if len(requests) == 1 else f"{len(requests)} masks"
        raise OutOfMemory(f"{self.auditor.device}: expected memory for {count}, got too little; try --dtype bfloat16")

    def _write(self, batch: PromptBatch | GroupedBatch) -> list[Written]:
        longest, watched = self.args.max_new_tokens, self.forms.watched if self.forms else ()
        return self.write(self.auditor, self.tokenizer, batch, longest, self.drafts, watched)

    def _shares(self, written: Written) -> dict | None:
        return self.forms and self.forms.read(written.ids, written.seen.numpy()).as_record()

    def fitting(self, most: int) -> int:
        """As many as should fit into memory, from what earlier batches have taken."""
        return self.budget.next_size(most)

    def batch_of(self, requests: Sequence[AuditRequest]) -> PromptBatch | GroupedBatch:
        """The collated requests: read ahead, or read now."""
        ready, self.ready = self.ready, None
        if ready is not None and ready[0] is requests:
            return ready[1]
        return self.collator([self.items[one] for one in number_samples(requests)])


class RequestItems(Dataset):
    """Items of requests; they are its indices, too, so that the processes of a DataLoader need no list of them."""

    def __init__(self, dataset: AuditDataset):
        self.dataset = dataset

    def __getitem__(self, numbered: Numbered) -> AuditItem:
        number, request = numbered
        return self.dataset.item(request.sample, request.candidate, number)


def number_samples(requests: Sequence[AuditRequest]) -> list[Numbered]:
    """Requests with the number of their sample; equal numbers mean equal prompts."""
    numbers = {sample: number for number, sample in enumerate(dict.fromkeys(r.sample for r in requests))}
    return [(numbers[request.sample], request) for request in requests]


def _taken_batches(batches: Iterable[list[AuditRequest]], taken: deque[list[AuditRequest]]) -> Iterator[list[Numbered]]:
    """Indices for a DataLoader; the batches that it has asked for are remembered in `taken`."""
    for requests in batches:
        taken.append(requests)
        yield number_samples(requests)


def template_drafts(auditor: AudioVisualLM, tokenizer: PreTrainedTokenizerBase, texts: Iterable[str]) -> Drafts:
    """Drafts from texts such as the eleven templates of audits, for the first answers of a run."""
    end = auditor.stop_ids()[0]
    answers = [[*encode_text(tokenizer, text), end] for text in texts]
    return Drafts(answers, ON_CPU_AT_ONCE if auditor.device.type == "cpu" else ON_GPU_AT_ONCE)
