"""A server as an answerer of audit requests: what is kept is not asked again, the rest is asked side by side."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from scripts.answering.answerer import Answerer, AuditRequest, Reply
from scripts.baselines.client import ChatClient
from scripts.baselines.kept import KeptReplies, begin_row
from scripts.baselines.message import chat_body
from scripts.baselines.question import Asking
from scripts.baselines.verdict import ANSWERS


class ApiAnswerer(Answerer):
    """Answers with the model behind `client`.

    `fields`: sampling and more of the body. `at_once`: threads. `failed`: error -> how many masks have met it. A mask
    without any reply gets an empty text, and is counted in `failed`.
    """

    def __init__(
        self, client: ChatClient, kept: KeptReplies, asking: Asking,
        model: str, video_as: str, fields: dict, at_once: int,
    ):  # fmt: skip
        self.client, self.kept, self.asking = client, kept, asking
        self.model, self.video_as, self.fields, self.at_once = model, video_as, fields, at_once
        self.failed: Counter[str] = Counter()
        self.questions: dict[str, None] = {}  # digests of all questions that were answered
        self.locks: dict[str, threading.Lock] = {}  # of questions: masks with the same one share a reply

    def answer(self, requests: Sequence[AuditRequest]) -> list[Reply]:
        """Raises Stopped, see `ChatClient.ask`; replies that have come until then are kept."""
        pool = ThreadPoolExecutor(self.at_once)
        try:
            return list(pool.map(self._reply, requests))
        finally:
            pool.shutdown(cancel_futures=True)

    def body(self, request: AuditRequest, asking: Asking | None = None, **changed) -> bytes:
        """The body of one question. `changed`: other values of `fields`."""
        turns = (asking or self.asking).turns(request)
        return chat_body(self.model, turns, self.video_as, self.fields | changed)

    def missing(self, requests: Sequence[AuditRequest]) -> list[AuditRequest]:
        """Those of which no answer is kept; of masks with the same question the last one."""
        asked = {self.digest(self.body(request)): request for request in requests}
        return [request for question, request in asked.items() if question not in self.kept.answers]

    def _reply(self, request: AuditRequest) -> Reply:
        body = self.body(request)
        question = self.digest(body)
        with self.locks.setdefault(question, threading.Lock()):
            row = self.kept.answers.get(question) or self._ask(request, question, body)
        self.questions[question] = None
        return Reply(row["text"])

    def _ask(self, request: AuditRequest, question: str, body: bytes) -> dict:
        exchange = self.client.ask(body)
        row = begin_row(question, request) | exchange.row()
        self.kept.add(row)
        if row["outcome"] not in ANSWERS:
            self.failed[exchange.verdict.sentence] += 1
        return row

    def digest(self, body: bytes) -> str:
        """Of the address and the whole question: media, wording, model, sampling."""
        return hashlib.sha256(self.client.transport.url.encode() + b"\n" + body).hexdigest()[:32]
