"""Seconds by part of the work, and the peak of memory."""

from __future__ import annotations

import ctypes
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import torch

from models.auditor.auditor import Auditor

PARTS = ("data", "vision", "audio", "prefill", "decode")
LOOK_EVERY = 0.005  # seconds


class Meter:
    """Times parts of the work, including work on the GPU."""

    def __init__(self, device: torch.device):
        self.device = device
        self.seconds: dict[str, float] = defaultdict(float)

    def now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        start = self.now()
        yield
        self.seconds[name] += self.now() - start

    @contextmanager
    def watching(self, auditor: Auditor, *towers: torch.nn.Module) -> Iterator[None]:
        """Count the time of the auditor's modules as their parts; `towers` are further vision modules."""
        parts = {"vision": (auditor.vision_encoder, auditor.vision_projector, *towers)}
        parts["audio"] = (auditor.audio_encoder, auditor.audio_projector)
        handles = [
            hook for name, modules in parts.items() for m in modules for hook in self._hooks(m, lambda _, n=name: n)
        ]
        llm = auditor.language_model
        inner = llm.get_base_model() if hasattr(llm, "get_base_model") else llm  # all that `generate` calls
        handles += self._hooks(inner, _reading_or_writing)
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _hooks(self, module: torch.nn.Module, name_of) -> list:
        started: list[tuple[str, float]] = []

        def before(_, args, kwargs):
            started.append((name_of(kwargs), self.now()))

        def after(*_):
            name, start = started.pop()
            self.seconds[name] += self.now() - start

        return [
            module.register_forward_pre_hook(before, with_kwargs=True),
            module.register_forward_hook(after),
        ]


def _reading_or_writing(kwargs: dict) -> str:
    """Whether a pass of the LLM reads a prompt: its cache is empty, or only some positions are wanted."""
    cache = kwargs.get("cache", kwargs.get("past_key_values"))  # the name depends on transformers' version
    reads = cache is None or cache.get_seq_length() == 0 or isinstance(kwargs.get("logits_to_keep"), torch.Tensor)
    return "prefill" if reads else "decode"


@contextmanager
def peak_memory(device: torch.device) -> Iterator[dict[str, float]]:
    """`megabytes` that were taken beyond what was in use before: of the GPU, or of this process."""
    found: dict[str, float] = {}
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        yield found
        found["megabytes"] = torch.cuda.max_memory_allocated(device) / 2**20
        return
    if hasattr(
        libc := ctypes.CDLL(None), "malloc_trim"
    ):  # memory that PyTorch keeps for later use would hide what is needed now
        libc.malloc_trim(0)
    process, done = psutil.Process(), threading.Event()
    before = process.memory_info().rss
    highest = [before]

    def look() -> None:
        while not done.wait(LOOK_EVERY):
            highest[0] = max(highest[0], process.memory_info().rss)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield found
    finally:
        done.set()
        watcher.join()
        found["megabytes"] = (max(highest[0], process.memory_info().rss) - before) / 2**20
