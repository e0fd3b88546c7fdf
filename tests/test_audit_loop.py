"""Audits in batches that fit into memory: sizes grow to the budget, halve where it is exceeded, and nothing is lost."""

from types import SimpleNamespace

import pytest
import torch

from scripts import memory
from scripts.evaluate import audit_loop
from scripts.evaluate.audit_loop import AuditLoop, ResizableBatches
from scripts.memory import MemoryBudget

CPU = torch.device("cpu")
GPU_FULL = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
RAM_FULL = RuntimeError(
    "[enforce fail at alloc_cpu.cpp:124] . DefaultCPUAllocator: can't allocate memory: you tried ..."
)


class Log:
    """Keeps records as a RecordLog does."""

    def __init__(self, records):
        self.records = records

    def add(self, records):
        self.records += records


@pytest.fixture
def loop():
    """An audit loop over numbers; it remembers its batches, and those beyond `limit` do not fit."""

    def make(count, limit=1_000, error=GPU_FULL, **settings):
        args = SimpleNamespace(
            share_prompts=True, draft_answers=False, max_memory_gb=None, batch_size=0, num_workers=0,
            test_name="test_s", max_new_tokens=1,
        )  # fmt: skip
        vars(args).update(settings)
        seen = []

        def write_answers(auditor, tokenizer, batch, longest, drafts):
            seen.append(len(batch["numbers"]))
            if seen[-1] > limit:
                raise error
            return [([n], f"answer {n}") for n in batch["numbers"]]

        tokenizer = SimpleNamespace(pad_token_id=0)
        made = AuditLoop(SimpleNamespace(device=CPU), tokenizer, list(range(count)), args, write_answers)
        made.collator = lambda items: {"numbers": items}
        return made, seen

    return make


def test_every_mask_is_answered_once_and_in_order(loop):
    made, seen = loop(100)
    log = Log([("old", [0], ""), ("old", [1], "")])
    made.run(log, lambda dataset, number, ids, text: (number, ids, text))
    assert log.records[2:] == [(n, [n], f"answer {n}") for n in range(2, 100)]
    assert seen[0] == audit_loop.FIRST_SIZE and max(seen) > audit_loop.FIRST_SIZE


@pytest.mark.parametrize("error", [GPU_FULL, RAM_FULL])
def test_batches_that_do_not_fit_are_halved(loop, error):
    made, seen = loop(60, limit=5, error=error)
    log = Log([])
    made.run(log, lambda dataset, number, ids, text: number)
    assert log.records == list(range(60))
    assert seen.count(16) == 1  # it is not tried again
    assert max(seen[-6:]) <= 5


def test_one_mask_that_does_not_fit_is_said_so(loop):
    made, _ = loop(3, limit=0)
    with pytest.raises(ValueError, match="expected memory for one mask, got too little"):
        made.run(Log([]), lambda *answer: answer)


def test_other_errors_are_not_taken_for_a_lack_of_memory(loop):
    made, _ = loop(3, limit=0, error=RuntimeError("shapes do not match"))
    with pytest.raises(RuntimeError, match="shapes do not match"):
        made.run(Log([]), lambda *answer: answer)


def test_a_given_batch_size_is_kept(loop):
    made, seen = loop(20, batch_size=7)
    made.run(Log([]), lambda *answer: answer)
    assert seen == [7, 7, 6]


def test_batches_may_change_their_size():
    batches = ResizableBatches(3, 20, 2)
    taken = []
    for numbers in batches:
        taken.append(numbers)
        batches.size = 5
    assert taken == [[3, 4], [5, 6, 7, 8, 9], [10, 11, 12, 13, 14], [15, 16, 17, 18, 19]]


def test_sizes_follow_from_what_was_measured(monkeypatch):
    used = {"now": 1.0 * memory.GB, "peak": 0.0}
    monkeypatch.setattr(MemoryBudget, "_used", lambda self, peak=False: used["peak" if peak else "now"])
    budget = MemoryBudget(CPU, max_gb=11.0)
    assert budget.next_size(64) == 1  # nothing has been tried
    used["peak"] = 3.0 * memory.GB
    with budget.running(16):
        pass
    assert budget.next_size(1_000) == 32  # 68 seem to fit, twice 16 are tried
    with budget.running(32):
        used["peak"] = 5.0 * memory.GB
    assert budget.next_size(1_000) == 64
    assert budget.next_size(50) == 50
    budget.did_not_fit(48)
    assert budget.next_size(1_000) == 47
