"""IoU by a regression head on `<iou_value>` (paper Table 5, "Regress ST")."""

import dataclasses

import pytest
import torch
import torch.nn.functional as F

from dataset.batches.audit_dataset import build_dataset
from dataset.batches.collator import AuditCollator
from dataset.benchmark.annotations import read_test, read_train
from models.decoding.answers import write_answers
from models.weights.bundle import AuditorBundle
from tests.conftest import BENCHMARK
from utils.audit import parse_audit
from utils.tokens import IOU_VALUE, REGRESS_ST


@pytest.fixture(scope="module")
def regressing(quick_args):
    args = dataclasses.replace(quick_args, iou_estimation=REGRESS_ST)
    torch.manual_seed(0)
    bundle = AuditorBundle.from_parts(args)
    torch.nn.init.normal_(bundle.auditor.eval().iou_head.weight, std=0.3)  # so that positions are told apart
    return bundle.auditor, bundle.tokenizer, bundle.pixels


@pytest.fixture(scope="module")
def items(regressing):
    auditor, tokenizer, pixels = regressing
    benchmark = read_test(BENCHMARK, "test_s", "image")
    dataset = build_dataset(benchmark.samples, tokenizer, pixels, auditor.config, benchmark.requests())
    video = read_test(BENCHMARK, "test_s", "video")
    other = build_dataset(video.samples, tokenizer, pixels, auditor.config, video.requests())
    items = [dataset[0], dataset[27], other[3]]
    assert len({len(item.input_ids) for item in items}) > 1
    return items


def test_targets_hold_the_token(regressing):
    auditor, tokenizer, pixels = regressing
    samples = read_train(BENCHMARK).samples
    item = build_dataset(samples, tokenizer, pixels, auditor.config)[0, 1]
    assert (item.labels == tokenizer.convert_tokens_to_ids(IOU_VALUE)).sum() == 1
    assert item.iou.item() == pytest.approx(0.911363)


def test_ious_are_the_same_alone_and_in_a_batch(regressing, items):
    auditor, tokenizer, _ = regressing
    token = tokenizer.convert_tokens_to_ids(IOU_VALUE)
    answers = [[497, token, 504, 2], [497, 325, 275, token, token, 2], [497, 2]]
    collate = AuditCollator(tokenizer.pad_token_id)
    together = auditor.generated_ious(collate(items), answers)
    alone = [auditor.generated_ious(collate([item]), [answer])[0] for item, answer in zip(items, answers, strict=True)]
    assert together[2] is None and alone[2] is None
    assert together[:2] == pytest.approx(alone[:2], abs=1e-5)
    assert together[0] != pytest.approx(together[1], abs=1e-3)


def test_loss_adds_the_squared_error_where_the_token_stands(regressing):
    auditor, tokenizer, pixels = regressing
    samples = read_train(BENCHMARK).samples
    dataset = build_dataset(samples, tokenizer, pixels, auditor.config, [(0, 1), (1, 2)])
    batch = AuditCollator(tokenizer.pad_token_id)([dataset[0], dataset[1]])
    with torch.no_grad():
        out = auditor(**batch)
        unknown = auditor(**{**batch, "iou": torch.full_like(batch["iou"], float("nan"))}).loss
    answers = [row[row != -100].tolist() for row in batch["labels"]]
    prompts = [
        dataclasses.replace(item, input_ids=item.input_ids[: -len(own)], labels=item.labels[: -len(own)])
        for item, own in zip((dataset[0], dataset[1]), answers, strict=True)
    ]
    read = auditor.generated_ious(AuditCollator(tokenizer.pad_token_id)(prompts), answers)
    expected = F.mse_loss(torch.tensor(read), batch["iou"][:, -1])
    assert (out.loss - unknown).item() == pytest.approx(expected.item(), abs=1e-5)


def test_the_number_is_written_where_the_token_was(regressing, items, monkeypatch):
    auditor, tokenizer, _ = regressing
    text = "<audit> x <iou> <iou_value> </iou> <mask_type> merge </mask_type> <action> reject </action> </audit></s>"
    ids = tokenizer(text, add_special_tokens=False).input_ids
    monkeypatch.setattr(
        auditor, "generate", lambda batch, limit, watch: watch.seen.extend([torch.zeros(1, 0)] * len(ids)) or [ids]
    )
    batch = AuditCollator(tokenizer.pad_token_id)(items[:1])
    (answer,) = write_answers(auditor, tokenizer, batch, 64)
    audit = parse_audit(answer.text)
    assert (audit.mask_type, audit.action) == ("merge", "reject")
    assert audit.iou == pytest.approx(auditor.generated_ious(batch, [ids])[0], abs=1e-4)
