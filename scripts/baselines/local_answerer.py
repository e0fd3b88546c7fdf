"""A model in this process as an answerer of audit requests: what is kept is not asked again, the rest in batches."""

from __future__ import annotations

import gc
import hashlib
import time
from collections.abc import Sequence

import torch
from accelerate.utils.memory import should_reduce_batch_size

from models.others.chat_model import ChatModel
from models.others.parts import Answer
from scripts.answering.answerer import Answerer, AuditRequest, OutOfMemory, Reply
from scripts.baselines.decoded import decoded_turns
from scripts.baselines.kept import KeptReplies, begin_row
from scripts.baselines.message import chat_body
from scripts.baselines.question import Asking
from scripts.baselines.verdict import kind_of_text
from scripts.memory import GB, MemoryBudget

AT_ONCE = 16  # requests between two steps of the progress bar, at most


class LocalAnswerer(Answerer):
    """Answers with `model`. `basis`: what names the model and its settings; answers of another basis are not used.

    `most`: masks in a batch, at most; 0: as many as fit into `budget`, beginning with one.
    """

    def __init__(
        self,
        model: ChatModel,
        kept: KeptReplies,
        asking: Asking,
        basis: dict,
        budget: MemoryBudget,
        max_new_tokens: int,
        most: int = 0,
    ):
        self.model, self.kept, self.asking, self.basis = model, kept, asking, basis
        self.budget, self.max_new_tokens, self.most = budget, max_new_tokens, most
        self.questions: dict[str, None] = {}  # digests of all questions that were answered, in order

    def answer(self, requests: Sequence[AuditRequest]) -> list[Reply]:
        """Raises OutOfMemory if one request alone does not fit."""
        questions = [self.question(request) for request in requests]
        missing = dict(zip(questions, requests, strict=True))
        todo = [(q, request) for q, request in missing.items() if q not in self.kept.answers]
        while todo:
            size = self.budget.next_size(self.most or AT_ONCE)
            batch, todo = todo[:size], todo[size:]
            answers = self._written(batch)
            todo = batch + todo if answers is None else todo
        self.questions |= dict.fromkeys(questions)
        return [Reply(self.kept.answers[question]["text"]) for question in questions]

    def fitting(self, most: int) -> int:
        return AT_ONCE

    def missing(self, requests: Sequence[AuditRequest]) -> int:
        """How many questions have no answer that is kept."""
        return len({self.question(request) for request in requests} - self.kept.answers.keys())

    def question(self, request: AuditRequest) -> str:
        """A digest of the model, its settings and the whole question, media byte by byte."""
        body = chat_body("", self.asking.turns(request), "pictures", self.basis)
        return hashlib.sha256(body).hexdigest()[:32]

    def _written(self, batch: list[tuple[str, AuditRequest]]) -> list[Answer] | None:
        """Answer a batch and keep the answers; None if it does not fit into memory."""
        start = time.monotonic()
        try:
            with self.budget.running(len(batch)):
                prompts = [self.model.prompt(decoded_turns(self.asking.turns(request))) for _, request in batch]
                answers = self.model.answer(prompts, self.max_new_tokens)
        except RuntimeError as error:
            if not should_reduce_batch_size(error):
                raise
            answers = None
        if answers is None:
            self._make_room(len(batch))
            return None
        seconds = (time.monotonic() - start) / len(batch)
        for (question, request), answer in zip(batch, answers, strict=True):
            self.kept.add(begin_row(question, request) | self._row(answer, seconds, len(batch)))
        return answers

    def _row(self, answer: Answer, seconds: float, together: int) -> dict:
        kind = kind_of_text("length" if answer.is_cut_off else "stop", answer.text)
        usage = {"input": answer.tokens_in, "output": answer.tokens_out, "thought": None, "cached": None}
        row = {"outcome": kind, "text": answer.text, "model": None, "usage": usage, "seconds": round(seconds, 4)}
        return row | {"price": 0.0, "together": together, "memory_gb": round(self.budget.peaks[together] / GB, 3)}

    def _make_room(self, count: int) -> None:
        gc.collect()
        torch.cuda.empty_cache()
        if count == 1:
            device = self.budget.device
            raise OutOfMemory(f"{device}: expected memory for one mask, got too little; try --quantization 4bit")
        self.budget.did_not_fit(count)
