"""LLMs beside LLaMA-2: tied embeddings, grouped-query attention, several stop tokens, a vocabulary with spare rows."""

import shutil

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from configs.model import ModelArguments
from dataset.batches.audit_dataset import build_dataset
from dataset.batches.collator import AuditCollator
from dataset.benchmark.annotations import read_train
from models.auditor.config import LORA_TARGETS
from models.auditor.trainable import mark_trainable
from models.weights.bundle import AuditorBundle
from tests.conftest import BENCHMARK

PHI3_LAYERS = ["qkv_proj", "o_proj", "gate_up_proj", "down_proj"]


@pytest.mark.parametrize("model_type", ["qwen2", "mistral", "phi3"])
def test_another_llm_trains_and_comes_back(quick_weights_dir, tmp_path, model_type):
    folder = tmp_path / model_type
    shutil.copytree(quick_weights_dir / "Llama-2-7b-chat-hf", folder)
    (folder / "model.safetensors").unlink()
    config = AutoConfig.for_model(
        model_type,
        vocab_size=600,
        hidden_size=48,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        tie_word_embeddings=model_type == "qwen2",
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=None,
    )
    model = AutoModelForCausalLM.from_config(config)
    model.generation_config.eos_token_id = [2, 0]
    model.save_pretrained(folder)

    args = ModelArguments(pretrained_weights_dir=str(quick_weights_dir), llama_path=str(folder))
    if model_type == "phi3":
        own = " ".join(sorted(PHI3_LAYERS))
        with pytest.raises(ValueError, match=rf"the LLM \(phi3\) has, some of {own}; got gate_proj k_proj q_proj"):
            AuditorBundle.from_parts(args)
        args.lora_targets = PHI3_LAYERS
    bundle = AuditorBundle.from_parts(args)
    auditor = bundle.auditor
    mark_trainable(auditor)
    assert auditor.embed_tokens.weight.shape == (508, 48)  # as published: one row per token, spare ones are cut off
    samples = read_train(BENCHMARK).samples
    dataset = build_dataset(samples, bundle.tokenizer, bundle.pixels, auditor.config, [(0, 0), (1, 3)])
    batch = AuditCollator(bundle.tokenizer.pad_token_id)([dataset[0], dataset[1]])
    auditor(**batch).loss.backward()
    assert all(p.grad is not None for p in auditor.parameters() if p.requires_grad)

    trained = {name.rpartition(".")[2] for name in auditor.language_model.targeted_module_names}
    assert trained == set(args.lora_targets or LORA_TARGETS)

    bundle.save_pretrained(tmp_path / "auditor")
    again = AuditorBundle.from_pretrained(tmp_path / "auditor").auditor
    batch["labels"] = None
    with torch.no_grad():
        assert torch.equal(again(**batch).logits, auditor.eval()(**batch).logits)
    assert all(len(ids) <= 5 for ids in again.generate(batch, 5))
