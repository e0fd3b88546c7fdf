"""The LLM in 8 or 4 bits."""

import pytest
import torch

from configs.model import ModelArguments
from dataset.batches.audit_dataset import build_dataset
from dataset.batches.collator import AuditCollator
from dataset.benchmark.annotations import read_train
from models.auditor.trainable import mark_trainable
from models.weights.bundle import AuditorBundle
from tests.conftest import BENCHMARK


def make_auditor(weights_dir, quantization: str):
    args = ModelArguments(pretrained_weights_dir=str(weights_dir), quantization=quantization)
    torch.manual_seed(0)
    bundle = AuditorBundle.from_parts(args)
    auditor = bundle.auditor.eval()
    dataset = build_dataset(read_train(BENCHMARK).samples, bundle.tokenizer, bundle.pixels, auditor.config)
    return auditor, AuditCollator(bundle.tokenizer.pad_token_id)([dataset[0, 0], dataset[1, 1]])


def test_without_the_package(quick_weights_dir, monkeypatch):
    monkeypatch.setattr("models.weights.quantization.is_bitsandbytes_available", lambda: False)
    with pytest.raises(ImportError, match="--quantization 4bit: expected bitsandbytes, got none"):
        make_auditor(quick_weights_dir, "4bit")


@pytest.mark.parametrize("quantization", ["8bit", "4bit"])
def test_nearly_the_same_model_learns(quick_weights_dir, quantization):
    pytest.importorskip("bitsandbytes")
    plain, batch = make_auditor(quick_weights_dir, "none")
    auditor, _ = make_auditor(quick_weights_dir, quantization)
    expected, logits = plain(**batch).logits, auditor(**batch).logits
    likeness = torch.nn.functional.cosine_similarity(expected.flatten(), logits.float().flatten(), dim=0)
    assert 0.9 < likeness < 0.999999
    with pytest.raises(ValueError, match="--merge_lora: expected an LLM with --quantization none"):
        auditor.merge_lora()

    mark_trainable(auditor)
    optimizer = torch.optim.AdamW([p for p in auditor.parameters() if p.requires_grad], 1e-3)
    losses = []
    for _ in range(4):
        optimizer.zero_grad()
        loss = auditor(**batch).loss
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] - 0.1
    learned = [name for name, p in auditor.named_parameters() if ".lora_B." in name and p.abs().sum() > 0]
    assert learned
