"""Masks answered together, behind shared prompts, get the tokens of each mask alone."""

from dataclasses import replace

import pytest
import torch
from transformers import DynamicCache

from configs.model import ModelArguments
from dataset.batches.audit_dataset import build_dataset
from dataset.batches.collator import AuditCollator
from dataset.batches.grouping import GroupingCollator
from dataset.benchmark.annotations import read_test
from models.decoding import cache as caching
from models.decoding import together as decoding
from models.decoding.answers import write_answers
from models.decoding.drafts import Drafts
from models.decoding.together import answer_together
from models.weights.bundle import AuditorBundle
from tests.conftest import BENCHMARK, golden_json


def test_the_golden_answers(released, golden_requests):
    auditor, tokenizer = released.auditor, released.tokenizer
    items = [replace(item, sample=(mode, item.sample)) for item, mode in golden_requests]
    answers = answer_together(auditor, GroupingCollator(tokenizer.pad_token_id)(items), 256)
    golden = [row["ids_max256"][1:] for row in golden_json("06_generation.json")["samples"]]
    assert [answer.ids for answer in answers] == golden


@pytest.mark.parametrize("iou_estimation", ["direct_ntp", "regress_st"])
def test_the_same_tokens_as_alone(quick_weights_dir, iou_estimation, monkeypatch):
    monkeypatch.setattr(caching, "GROWTH", 3)
    args = ModelArguments(pretrained_weights_dir=str(quick_weights_dir), iou_estimation=iou_estimation)
    torch.manual_seed(0)
    bundle = AuditorBundle.from_parts(args)
    auditor, tokenizer, pixels = bundle.auditor.eval(), bundle.tokenizer, bundle.pixels
    head = auditor.language_model.get_output_embeddings().weight
    with torch.no_grad():  # answers of several lengths, with an IoU token here and there
        head.normal_(0, 0.3)
        for name, weight in auditor.named_parameters():  # what is seen matters
            if weight.ndim == 2 and (".layers." in name or "vision_projector" in name):
                weight.mul_(4)
        if iou_estimation == "regress_st":
            head[auditor.regressed_token()] *= 3
    auditor.language_model.generation_config.eos_token_id = list(range(3, len(head) - 40, 17))
    benchmark = read_test(BENCHMARK, "test_s", "image")
    dataset = build_dataset(benchmark.samples, tokenizer, pixels, auditor.config, benchmark.requests())
    items = [dataset[i] for i in (0, len(dataset) - 1, 1, 2, len(dataset) - 2, 3)]
    shared = GroupingCollator(tokenizer.pad_token_id, masks_per_row=2)(items)
    assert len(shared["roots"]["owner"]) < len(shared["rows"]["owner"]) < len(items)
    together = write_answers(auditor, tokenizer, shared, 24)
    alone = [write_answers(auditor, tokenizer, AuditCollator(tokenizer.pad_token_id)([i]), 24)[0] for i in items]
    assert together == alone
    assert len({len(one.ids) for one in alone}) > 1

    drafts = Drafts([[7, *one.ids[3:12], 5] for one in alone] + [one.ids[:-4] for one in alone])
    assert write_answers(auditor, tokenizer, shared, 24, drafts) == alone  # some guesses right, some wrong
    passes = []
    monkeypatch.setattr(
        decoding._Reader, "read_on", lambda *a, real=decoding._Reader.read_on: passes.append(0) or real(*a)
    )
    assert write_answers(auditor, tokenizer, shared, 24, drafts) == alone
    assert len(passes) < 24 / 3  # now it knows the answers
    if iou_estimation == "regress_st":
        assert any(auditor.regressed_token() in one.ids[:-1] for one in alone)


def test_a_roomy_cache_holds_what_was_put_in(monkeypatch):
    monkeypatch.setattr(caching, "GROWTH", 2)
    cache, put = DynamicCache(), []
    cache.layers = [caching.RoomyLayer()]
    for length in (3, 1, 4, 1):
        put.append(torch.randn(2, 2, length, 4))
        keys, values = cache.update(put[-1], -put[-1], 0)
        torch.testing.assert_close(keys, torch.cat(put, 2))
        torch.testing.assert_close(values, -torch.cat(put, 2))
        assert cache.get_seq_length() == keys.shape[2]


def test_many_answers_are_guessed_less_far_ahead():
    drafts = Drafts([list(range(30))])
    assert drafts.guess([0, 1], together=1) == list(range(2, 14))
    assert drafts.guess([0, 1], together=32) == list(range(2, 10))
    assert drafts.guess([0, 1], together=1_000) == list(range(2, 6))
    assert drafts.guess([99]) == []
