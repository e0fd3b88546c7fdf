"""The assembled model against the golden numbers: projectors, splice, loss, gradients, generation."""

import pytest
import torch

from dataset.batches.audit_dataset import build_dataset
from dataset.batches.collator import AuditCollator
from dataset.benchmark.annotations import read_train
from models.auditor.trainable import load_trained_state, mark_trainable, trained_state
from models.weights.bundle import AuditorBundle
from models.weights.published import is_unused, our_name, read_pair
from tests.conftest import BENCHMARK, GOLDEN, RememberingTower, golden_json, golden_tensors
from tests.seeded import seeded_tensor

CKPT = GOLDEN / "weights/ckpt"
GENERATION = golden_json("06_generation.json")["samples"]


@pytest.fixture(scope="module")
def at_start(model_args):
    """The state of items 04 and 05: pretrained projectors; LoRA, embedding and head of the golden pair."""
    bundle = AuditorBundle.from_parts(model_args)
    auditor = bundle.auditor
    mark_trainable(auditor)
    pair = read_pair(CKPT / "checkpoint-3/finetune_weights.bin", CKPT / "non_lora_trainables.bin")
    load_trained_state(auditor, {k: t for k, t in pair.items() if "language_model" in k}, "pair", "language_model.")
    bundle.load_projectors(model_args)
    auditor.vision_encoder = RememberingTower(auditor.vision_encoder)
    return auditor.eval(), bundle.tokenizer, bundle.pixels


@pytest.fixture(scope="module")
def train_batch(at_start):
    auditor, tokenizer, pixels = at_start
    samples = read_train(BENCHMARK).samples
    pairs = []
    for index, wanted in enumerate(golden_json("04_meta.json")["selected"]):
        ious = [(c.audit.mask_type, round(c.audit.iou, 4)) for c in samples[index].candidates]
        pairs.append((index, ious.index((wanted["mask_type"], wanted["iou"]))))
    dataset = build_dataset(samples, tokenizer, pixels, auditor.config, pairs)
    items = [dataset[i] for i in range(2)]
    return items, AuditCollator(tokenizer.pad_token_id)(items)


@pytest.mark.parametrize("modality", ["visual", "audio"])
def test_projectors(at_start, modality):
    auditor, *_ = at_start
    spec = golden_json("03_inputs.json")[f"{modality}_in"]
    features = seeded_tensor(spec["name_hashed"], spec["shape"], spec["k"], spec["offset"])
    projector, per_item = (auditor.vision_projector, 256) if modality == "visual" else (auditor.audio_projector, 48)
    out = projector(torch.as_tensor(features).reshape(-1, per_item, spec["shape"][-1])).flatten(0, 1)
    expected = golden_tensors("03_projectors.safetensors")[f"{modality}_out"][0]
    torch.testing.assert_close(out, expected, atol=2e-5, rtol=0)


def test_splice(at_start, train_batch):
    auditor, *_ = at_start
    items, batch = train_batch
    golden = golden_tensors("04_splice.safetensors")
    for name in ("attention_mask", "labels", "position_ids"):
        assert torch.equal(batch[name], golden[name].long()), name
    with torch.no_grad():
        embeds = auditor.embed(batch)
    torch.testing.assert_close(embeds, golden["inputs_embeds"], atol=2e-4, rtol=0)
    for row, item in enumerate(items):  # the text before widening: one id per placeholder, then the answer
        text_ids, labels = golden[f"input_ids.{row}"], golden[f"text_labels.{row}"]
        assert torch.equal(torch.unique_consecutive(item.input_ids), torch.unique_consecutive(text_ids))
        assert torch.equal(item.labels[item.labels != -100], labels[labels != -100])


def test_loss_logits_and_gradients(at_start, train_batch):
    auditor, *_ = at_start
    _, batch = train_batch
    golden, meta = golden_tensors("05_forward.safetensors"), golden_json("05_meta.json")
    auditor.zero_grad()
    out = auditor(**batch)
    assert out.loss.item() == pytest.approx(meta["loss"], abs=2e-4)
    out.loss.backward()
    _compare_gradients(auditor, meta)

    with torch.no_grad():
        logits = auditor(**{**batch, "labels": None}).logits
        with auditor.language_model.disable_adapter():
            without_lora = auditor(**batch).loss.item()
    assert without_lora == pytest.approx(meta["loss_with_adapter_disabled"], abs=2e-4)
    real = batch["attention_mask"].bool()
    for name, positions in (("logits_last128", slice(-128, None)), ("logits_stride16", slice(None, None, 16))):
        kept = real[:, positions]
        torch.testing.assert_close(logits[:, positions][kept], golden[name][kept], atol=2e-3, rtol=0)
    answers = torch.nn.functional.pad(batch["labels"], (0, 1), value=-100)[:, 1:] != -100
    torch.testing.assert_close(out.logits, logits[answers])


def _compare_gradients(auditor, meta):
    norms = {name: p.grad.norm().item() for name, p in auditor.named_parameters() if p.grad is not None}
    expected = {our_name(key, "base_model.model.model."): v for key, v in meta["grad_norm_per_param"].items()}
    assert norms.keys() == expected.keys()
    for name, norm in expected.items():  # some are zero in theory: rounding noise, held to an absolute limit
        assert norms[name] == pytest.approx(norm, rel=2e-3, abs=1e-6), name
    assert all(is_unused(key) for key in meta["trainable_without_grad"])
    total = sum(n**2 for n in norms.values()) ** 0.5
    assert total == pytest.approx(meta["grad_norm_total"], rel=2e-3)


@pytest.fixture(scope="module")
def requests(golden_requests):
    return [item for item, _ in golden_requests]


def test_first_sample(released, requests):
    auditor, tokenizer = released.auditor, released.tokenizer
    golden = golden_tensors("06_first_sample.safetensors")
    batch = AuditCollator(tokenizer.pad_token_id)(requests[:1])
    with torch.no_grad():
        embeds = auditor.embed(batch)
        logits = auditor(**{**batch, "labels": None}).logits[0, -1]
    torch.testing.assert_close(embeds[0], golden["prompt_embeds"], atol=2e-4, rtol=0)
    torch.testing.assert_close(logits, golden["first_step_logits"], atol=2e-3, rtol=0)


@pytest.mark.parametrize(("batch_size", "limit"), [(1, 32), (6, 256)])
def test_generation_by_exact_ids(released, requests, batch_size, limit):
    """One by one, and all six together, with prompts of two lengths."""
    auditor, tokenizer = released.auditor, released.tokenizer
    collate = AuditCollator(tokenizer.pad_token_id)
    assert len({len(item.input_ids) for item in requests}) > 1
    answers = []
    for start in range(0, len(requests), batch_size):
        answers += auditor.generate(collate(requests[start : start + batch_size]), limit)
    # golden ids begin with the BOS that the old generate put in front
    assert answers == [row[f"ids_max{limit}"][1:] for row in GENERATION]


def test_padding_does_not_change_the_embeddings(released, requests):
    auditor, tokenizer = released.auditor, released.tokenizer
    collate = AuditCollator(tokenizer.pad_token_id)
    short = min(requests, key=lambda item: len(item.input_ids))
    long = max(requests, key=lambda item: len(item.input_ids))
    with torch.no_grad():
        alone, padded = auditor.embed(collate([short])), auditor.embed(collate([short, long]))
    torch.testing.assert_close(padded[0, -alone.shape[1] :], alone[0], atol=1e-5, rtol=0)


def test_wrong_number_of_placeholders_is_an_error(released, requests):
    auditor, tokenizer = released.auditor, released.tokenizer
    batch = AuditCollator(tokenizer.pad_token_id)(requests[:1])
    batch["image_index"] = batch["image_index"][:-1]
    with pytest.raises(ValueError, match="placeholders: expected .* positions, one per feature row, got"):
        auditor.embed(batch)


def test_frozen_parts_stay_in_eval_mode(at_start):
    auditor, *_ = at_start
    auditor.train()
    assert auditor.vision_projector.training and auditor.language_model.training
    assert not any(m.training for part in (auditor.vision_encoder, auditor.audio_encoder) for m in part.modules())
    auditor.eval()
    assert not any(p.requires_grad for p in [*auditor.vision_encoder.parameters(), *auditor.audio_encoder.parameters()])


def test_what_learns_is_what_was_published(at_start):
    """LoRA, projectors, embedding and head: the golden list of gradients names them all."""
    auditor, *_ = at_start
    published = golden_json("05_meta.json")["grad_norm_per_param"]
    learning = {name for name, p in auditor.named_parameters() if p.requires_grad}
    assert learning == {our_name(key, "base_model.model.model.") for key in published} == trained_state(auditor).keys()
