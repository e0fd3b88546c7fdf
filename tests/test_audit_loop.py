"""Audits in batches that fit into memory: sizes grow to the budget, halve where it is exceeded, and nothing is lost."""

import mmap

import pytest
import torch

from configs.evaluation import EvaluationArguments
from dataset.batches.audit_dataset import build_dataset
from dataset.benchmark.annotations import read_test
from models.decoding.answers import Written
from scripts import memory
from scripts.answering import answerer as answering
from scripts.answering.answerer import Answerer, AuditRequest, OutOfMemory, Reply, ResizableBatches
from scripts.answering.audit_loop import audit_all
from scripts.answering.tensor_answerer import TensorAnswerer, number_samples
from scripts.memory import MemoryBudget
from tests.conftest import BENCHMARK

CPU = torch.device("cpu")
GPU_FULL = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
RAM_FULL = RuntimeError(
    "[enforce fail at alloc_cpu.cpp:124] . DefaultCPUAllocator: can't allocate memory: you tried ..."
)


class Log:
    """Keeps records."""

    def __init__(self):
        self.records = []

    def add(self, records):
        self.records += records


class Echo(Answerer):
    """Answers numbers; it remembers the sizes of its batches, and those beyond `limit` do not fit."""

    def __init__(self, limit=1_000):
        self.limit, self.sizes = limit, []

    def answer(self, requests):
        self.sizes.append(len(requests))
        if len(requests) > self.limit:
            raise OutOfMemory("full")
        return [Reply(f"answer {n}") for n in requests]

    def fitting(self, most):
        return min(most, 2 * self.sizes[-1], self.limit)


def record(request, reply):
    return request, reply.text


def test_every_mask_is_answered_once_and_in_order():
    log, answerer = Log(), Echo()
    audit_all(answerer, range(100), log, record)
    assert log.records == [(n, f"answer {n}") for n in range(100)]
    assert answerer.sizes == [answering.FIRST_SIZE, 32, 52]


def test_an_answerer_that_only_answers_is_enough():
    class Plain(Answerer):
        def answer(self, requests):
            return [Reply(str(n)) for n in requests]

    log = Log()
    audit_all(Plain(), range(20), log, record)
    assert log.records == [(n, str(n)) for n in range(20)]


def test_batches_that_do_not_fit_are_halved():
    log, answerer = Log(), Echo(limit=5)
    audit_all(answerer, range(60), log, record)
    assert [number for number, _ in log.records] == list(range(60))
    assert answerer.sizes.count(16) == 1  # it is not tried again
    assert max(answerer.sizes[-6:]) <= 5


def test_one_mask_that_does_not_fit_ends_the_run():
    with pytest.raises(OutOfMemory, match="full"):
        audit_all(Echo(limit=0), range(3), Log(), record)


def test_a_given_batch_size_is_kept():
    answerer = Echo()
    audit_all(answerer, range(20), Log(), record, batch_size=7)
    assert answerer.sizes == [7, 7, 6]
    answerer = Echo(limit=4)
    audit_all(answerer, range(20), Log(), record, batch_size=7)
    assert answerer.sizes == [7, 3, 4, *[4] * 3, 1]


def test_batches_may_change_their_size():
    batches, taken = ResizableBatches(range(3, 20), 2), []
    for numbers in batches:
        taken.append(numbers)
        batches.size = 5
    assert taken == [[3, 4], [5, 6, 7, 8, 9], [10, 11, 12, 13, 14], [15, 16, 17, 18, 19]]


@pytest.fixture
def tensors(released):
    """Call with what differs from the defaults: a tensor answerer that only tells the sizes of its batches."""
    dataset = build_dataset([], released.tokenizer, released.pixels, released.auditor.config)

    def make(write, **settings):
        args = EvaluationArguments(num_workers=0, **settings)
        return TensorAnswerer(released.auditor, released.tokenizer, dataset, args, write)

    return make


@pytest.fixture(scope="module")
def requests():
    benchmark = read_test(BENCHMARK, "test_s", "image")
    pairs = [(benchmark.samples[s], c) for s, c in benchmark.requests()]
    return [AuditRequest(sample, sample.candidates[c]) for sample, c in pairs]


def tell_owners(auditor, tokenizer, batch, longest, drafts, watched):
    count = int(batch["rows"]["owner"].max())
    seen = torch.zeros(1, len(watched))
    return [Written([owner], f"{owner} of {count}", seen) for owner in range(1, count + 1)]


@pytest.mark.parametrize("error", [GPU_FULL, RAM_FULL])
def test_a_lack_of_memory_is_recognised(tensors, requests, error):
    def full(auditor, tokenizer, batch, longest, drafts, watched):
        raise error

    answerer = tensors(full)
    with pytest.raises(OutOfMemory, match="cpu: expected memory for 3 masks, got too little"):
        answerer.answer(requests[:3])
    with pytest.raises(OutOfMemory, match="cpu: expected memory for one mask, got too little; try --dtype bfloat16"):
        answerer.answer(requests[:1])
    assert answerer.budget.too_many == 1


def test_other_errors_are_not_taken_for_a_lack_of_memory(tensors, requests):
    def wrong(*_):
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes do not match"):
        tensors(wrong).answer(requests[:3])


@pytest.mark.parametrize("num_workers", [0, 1])
def test_batches_are_read_ahead(tensors, requests, num_workers):
    answerer = tensors(tell_owners)
    answerer.args.num_workers = num_workers
    plan = iter([requests[:2], requests[2:5], requests[5:6]])
    replies = []
    for batch in answerer.look_ahead(plan):
        assert answerer.ready[0] is batch
        assert num_workers == 0 or next(plan, None) is None  # all were taken when the first one was given out
        replies += answerer.answer(batch)
        assert answerer.ready is None
    assert [reply.text for reply in replies] == ["1 of 2", "2 of 2", "1 of 3", "2 of 3", "3 of 3", "1 of 1"]


def test_halves_of_a_batch_are_read_by_themselves(tensors, requests):
    answerer = tensors(tell_owners)
    (batch,) = answerer.look_ahead([requests[:4]])
    assert [reply.text for reply in answerer.answer(batch[:1])] == ["1 of 1"]


def test_samples_are_numbered(requests):
    first, other = requests[0], next(r for r in requests if r.sample != requests[0].sample)
    assert number_samples([other, first, other]) == [(0, other), (1, first), (0, other)]


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


def test_memory_on_a_cpu_is_that_of_the_work_not_of_the_load():
    """What loading once took is no measure of a batch."""
    hold_for_a_moment(300 * 2**20)
    budget = MemoryBudget(CPU)
    with budget.running(1):
        hold_for_a_moment(40 * 2**20)
    assert 30 * 2**20 < budget.peaks[1] - budget.before < 150 * 2**20


def hold_for_a_moment(size: int) -> None:
    """Fill `size` bytes of new pages: what Python allocates may come from memory that the process already holds."""
    with mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as pages:
        for start in range(0, size, mmap.PAGESIZE):
            pages[start] = 1
