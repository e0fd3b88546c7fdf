"""Machinery on a small random auditor: cached features, inputs left out, merged LoRA."""

from types import SimpleNamespace

import pytest
import torch

from configs.data import DataArguments
from dataset.batches.audit_dataset import build_dataset
from dataset.batches.collator import AuditCollator
from dataset.benchmark.annotations import read_train
from dataset.features.store import encode_each
from models.weights.bundle import AuditorBundle
from scripts.features import remember_features
from tests.conftest import BENCHMARK

INPUTS = ("<audio>", "<video>", "<image>", "<mask>")


@pytest.fixture(scope="module")
def parts(quick_args):
    bundle = AuditorBundle.from_parts(quick_args)
    return bundle.auditor.eval(), bundle.tokenizer, bundle.pixels


def batch_of(dataset, tokenizer) -> dict:
    return AuditCollator(tokenizer.pad_token_id)([dataset[0, 0], dataset[1, 1], dataset[0, 2]])


def test_the_same_loss(parts):
    auditor, tokenizer, pixels = parts
    dataset = build_dataset(read_train(BENCHMARK).samples, tokenizer, pixels, auditor.config)
    expected = auditor(**batch_of(dataset, tokenizer))
    remember_features(auditor, [dataset], pixels, DataArguments(), torch.device("cpu"), num_workers=0)
    batch = batch_of(dataset, tokenizer)
    assert batch["encoded"] and batch["images"].ndim == 3
    torch.testing.assert_close(auditor(**batch).loss, expected.loss, rtol=1e-5, atol=1e-6)


def test_features_kept_on_disk(parts, tmp_path, monkeypatch):
    auditor, tokenizer, pixels = parts
    dataset = build_dataset(read_train(BENCHMARK).samples, tokenizer, pixels, auditor.config)
    expected = auditor(**batch_of(dataset, tokenizer)).loss
    kept = DataArguments(feature_cache_dir=str(tmp_path))
    assert kept.cache_features
    remember_features(auditor, [dataset], pixels, kept, torch.device("cpu"), num_workers=0)
    torch.testing.assert_close(auditor(**batch_of(dataset, tokenizer)).loss, expected, rtol=1e-5, atol=1e-6)
    files = {path: path.stat().st_ino for path in tmp_path.rglob("*.safetensors")}
    assert 0 < len(files) <= len(set(dataset.image_keys())) + len(set(dataset.sound_keys()))

    monkeypatch.setattr(auditor, "encode_images", lambda pixels: pytest.fail("seen again"))
    monkeypatch.setattr(auditor, "encode_sounds", lambda fbanks: pytest.fail("heard again"))
    again = build_dataset(read_train(BENCHMARK).samples, tokenizer, pixels, auditor.config)
    remember_features(auditor, [again], pixels, kept, torch.device("cpu"), num_workers=0)
    torch.testing.assert_close(auditor(**batch_of(again, tokenizer)).loss, expected, rtol=1e-5, atol=1e-6)
    assert {path: path.stat().st_ino for path in tmp_path.rglob("*.safetensors")} == files

    other = pixels | {"image_mean": [0.0, 0.0, 0.0]}  # other pixels: none of the features may be used
    with pytest.raises(pytest.fail.Exception, match="seen again"):
        remember_features(auditor, [again], other, kept, torch.device("cpu"), num_workers=0)


def test_features_that_do_not_fit_into_memory(monkeypatch):
    monkeypatch.setattr("dataset.features.store.psutil.virtual_memory", lambda: SimpleNamespace(available=1000))
    with pytest.raises(ValueError, match="cache_features: expected room for"):
        encode_each(range(100), lambda key: torch.ones(key), lambda tensors: tensors, title="encoding")


@pytest.mark.parametrize(("without", "rows"), [("audio", "<audio>"), ("video", "<video>"), ("key_frame", "<image>")])
def test_an_auditor_without_an_input(parts, without, rows):
    auditor, tokenizer, pixels = parts
    samples = read_train(BENCHMARK).samples
    dataset = build_dataset(samples, tokenizer, pixels, auditor.config)
    dataset.without = frozenset([without])
    batch = batch_of(dataset, tokenizer)
    shown = {name: (batch["input_ids"] == tokenizer.convert_tokens_to_ids(name)).any() for name in INPUTS}
    assert [name for name, there in shown.items() if not there] == [rows]
    auditor(**batch).loss.backward()


def test_an_auditor_without_the_expression(parts):
    auditor, tokenizer, pixels = parts
    samples = read_train(BENCHMARK).samples
    dataset = build_dataset(samples, tokenizer, pixels, auditor.config)
    dataset.without = frozenset(["expression"])
    assert "expression: ''," in tokenizer.decode(dataset[0, 0].input_ids)
    assert samples[0].expression.lower() not in tokenizer.decode(dataset[0, 0].input_ids)


def test_merged_lora_gives_the_same_logits(quick_args):
    torch.manual_seed(0)
    bundle = AuditorBundle.from_parts(quick_args)
    auditor, tokenizer = bundle.auditor.eval(), bundle.tokenizer
    for name, parameter in auditor.named_parameters():
        if ".lora_B." in name:
            torch.nn.init.normal_(parameter, std=0.02)
    dataset = build_dataset(read_train(BENCHMARK).samples, tokenizer, bundle.pixels, auditor.config)
    batch = batch_of(dataset, tokenizer) | {"labels": None}
    expected = auditor(**batch).logits
    stops = auditor.stop_ids()
    auditor.merge_lora()
    assert not any(".lora_" in name for name, _ in auditor.named_parameters())
    assert auditor.stop_ids() == stops
    assert (auditor(**batch).logits - expected).abs().max() <= 1e-5 * expected.abs().max()
