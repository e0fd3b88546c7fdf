"""How many masks fit into memory together, measured on the batches that have run."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import torch

GB = 2**30
SHARE_OF_GPU, SHARE_OF_FREE_RAM = 0.9, 0.5  # the budget, if none is given
CAUTION = 0.85  # use this share of the number of masks that seems to fit


class MemoryBudget:
    """A budget in bytes for a process and its device, and the memory that batches of each size have taken."""

    def __init__(self, device: torch.device, max_gb: float | None = None):
        self.device = device
        self.bytes = self._available() if max_gb is None else max_gb * GB
        self.before = self._used()
        self.peaks: dict[int, float] = {}  # number of masks in a batch -> the most bytes in use
        self.too_many: int | None = None  # the smallest number that did not fit

    @contextmanager
    def running(self, count: int) -> Iterator[None]:
        """Measure the work on a batch of `count` masks: `with budget.running(count): ...`."""
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        else:
            forget_peak()
        yield
        self.peaks[count] = max(self.peaks.get(count, 0), self._used(peak=True))

    def did_not_fit(self, count: int) -> None:
        self.too_many = min(count, self.too_many or count)

    def next_size(self, most: int) -> int:
        """Masks for the next batches: as many as should fit, at most twice the largest number tried, at most `most`."""
        tried = max(self.peaks, default=0)
        if not tried:
            return min(most, max(1, (self.too_many or 2) // 2))
        each = max(1.0, (self.peaks[tried] - self.before) / tried)
        fitting = int(CAUTION * (self.bytes - self.before) / each)
        if self.too_many:
            fitting = min(fitting, self.too_many - 1)
        return max(1, min(fitting, 2 * tried, most))

    def _available(self) -> float:
        if self.device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(self.device)
            return self._used() + SHARE_OF_GPU * free
        processes = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
        return self._used() + SHARE_OF_FREE_RAM * psutil.virtual_memory().available / processes

    def _used(self, peak: bool = False) -> float:
        if self.device.type == "cuda":
            used = torch.cuda.max_memory_allocated if peak else torch.cuda.memory_allocated
            return used(self.device)
        return peak_since_forgotten() if peak else psutil.Process().memory_info().rss


def forget_peak() -> None:
    """Count this process's peak of memory from now on: until then it is that of loading the model."""
    with suppress(OSError):  # another system than Linux, or a container that keeps /proc closed
        Path("/proc/self/clear_refs").write_text("5")


def peak_since_forgotten() -> int:
    """The most bytes that this process has held since `forget_peak`; where that is not known, since it began."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
