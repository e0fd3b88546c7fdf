"""Several masks behind one shared prompt give the loss and the gradients of the same masks one by one."""

import pytest
import torch

from configs.model import ModelArguments
from dataset.batches.audit_dataset import build_dataset
from dataset.batches.collator import AuditCollator
from dataset.benchmark.annotations import read_train
from models.auditor.trainable import mark_trainable
from models.weights.bundle import AuditorBundle
from tests.conftest import BENCHMARK
from utils.tokens import IGNORE_INDEX

PAIRS = [(0, 0), (1, 2), (0, 3), (1, 1), (0, 5), (1, 4)]


@pytest.mark.parametrize("iou_estimation", ["direct_ntp", "regress_st"])
def test_the_same_loss_and_gradients(quick_weights_dir, iou_estimation):
    args = ModelArguments(
        pretrained_weights_dir=str(quick_weights_dir), lora_r=4, lora_alpha=8, iou_estimation=iou_estimation
    )
    torch.manual_seed(0)
    bundle = AuditorBundle.from_parts(args)
    auditor, tokenizer, pixels = bundle.auditor.eval(), bundle.tokenizer, bundle.pixels
    mark_trainable(auditor)
    dataset = build_dataset(read_train(BENCHMARK).samples, tokenizer, pixels, auditor.config)
    items = [dataset[pair] for pair in PAIRS]

    results = {}
    for shared in (False, True):
        batch = AuditCollator(tokenizer.pad_token_id, share_prompts=shared)(items)
        assert len(batch["input_ids"]) == (2 if shared else 6)
        auditor.zero_grad()
        loss = auditor(**batch).loss
        loss.backward()
        gradients = {n: p.grad.clone() for n, p in auditor.named_parameters() if p.grad is not None}
        results[shared] = loss.detach(), gradients, batch["input_ids"].numel()
    torch.testing.assert_close(results[True][0], results[False][0], rtol=1e-5, atol=1e-6)
    auditor.language_model.set_attn_implementation("sdpa")  # as an LLM that drops the layout on its way
    torch.testing.assert_close(auditor(**batch).loss.detach(), results[False][0], rtol=1e-5, atol=1e-6)
    for name, gradient in results[False][1].items():
        torch.testing.assert_close(results[True][1][name], gradient, rtol=1e-3, atol=1e-5, msg=name)
    assert results[True][2] < 0.7 * results[False][2]


def test_weights_of_the_loss(quick_weights_dir):
    args = ModelArguments(pretrained_weights_dir=str(quick_weights_dir), lora_r=4, lora_alpha=8)
    torch.manual_seed(0)
    bundle = AuditorBundle.from_parts(args)
    dataset = build_dataset(read_train(BENCHMARK).samples, bundle.tokenizer, bundle.pixels, bundle.auditor.config)
    dataset.prompts.decision_weight = 5
    items = [dataset[pair] for pair in PAIRS]
    collate = AuditCollator(bundle.tokenizer.pad_token_id)
    total = weight = 0.0
    for item in items:
        batch = collate([item])
        losses = torch.nn.functional.cross_entropy(
            bundle.auditor.eval()(**batch).logits.float(), item.labels[item.labels != IGNORE_INDEX], reduction="none"
        )
        own = item.weights[item.labels != IGNORE_INDEX]
        assert 0 < (own == 5).sum() < len(own) and ((own == 1) | (own == 5)).all()
        total, weight = total + float((losses.detach() * own).sum()), weight + float(own.sum())
    for shared in (False, True):
        batch = AuditCollator(bundle.tokenizer.pad_token_id, share_prompts=shared)(items)
        assert float(bundle.auditor(**batch).loss.detach()) == pytest.approx(total / weight, rel=1e-5)
