"""Fixtures shared by the tests: the synthetic golden benchmark, tiny weights, and the auditor made of them."""

from __future__ import annotations

import json
import os
from pathlib import Path

os.environ["CUDA_VISIBLE_DEVICES"] = ""  # the tests' numbers are float32 CPU numbers, also where a GPU is present

import pytest
import torch
from safetensors.torch import load_file

from configs.arguments import ModelArguments
from tests.seeded import assemble_pretrained_weights

GOLDEN = Path(__file__).parent / "golden"
BENCHMARK = GOLDEN / "MQ-RAVSBench"


def golden_json(name: str):
    return json.loads((GOLDEN / name).read_text())


def golden_tensors(name: str) -> dict[str, torch.Tensor]:
    return load_file(GOLDEN / name)


@pytest.fixture(scope="session")
def weights_dir(tmp_path_factory) -> Path:
    """A complete PRETRAINED_WEIGHTS_DIR of tiny parts."""
    folder = tmp_path_factory.mktemp("weights") / "pretrained_weights"
    assemble_pretrained_weights(folder)
    return folder


@pytest.fixture(scope="session")
def model_args(weights_dir) -> ModelArguments:
    return ModelArguments(pretrained_weights_dir=str(weights_dir), lora_r=4, lora_alpha=8)


@pytest.fixture(scope="session")
def released(model_args):
    """(auditor, tokenizer, pixel settings) of the golden checkpoint pair."""
    from models.checkpoint import load_auditor

    return load_auditor(GOLDEN / "weights" / "ckpt", model_args)
