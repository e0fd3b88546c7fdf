"""Fixtures shared by the tests: the synthetic golden benchmark, tiny weights, and the auditor made of them."""

from __future__ import annotations

import json
import os
from pathlib import Path

os.environ["CUDA_VISIBLE_DEVICES"] = ""  # the tests' numbers are float32 CPU numbers, also where a GPU is present
import pytest
import torch
from safetensors.torch import load_file

from configs.model import ModelArguments
from tests.fake_server import serving
from tests.seeded import assemble_pretrained_weights


def pytest_configure(config) -> None:
    """Settings of a full-size run must not leak into the programs that the tests start."""
    names = {"TEST_NAME", "BATCH_SIZE", "MAX_NEW_TOKENS", "NPROC_PER_NODE", "DEEPSPEED_CONFIG", "NUM_TRAIN_EPOCHS"}
    names |= {"FEATURE_CACHE_DIR"}
    names |= {name for name in os.environ if name.startswith(("REFAVS_", "LORA_"))}
    names |= {name for name in os.environ if name.endswith(("_CKPT_PATH", "_PRETRAIN_PATH"))}
    for name in names:
        os.environ.pop(name, None)


LONGEST = ("inference", "distributed", "training", "efficiency", "thinker", "audit_script", "improve", "world")
LONGEST += ("faults", "sweep", "stopping", "build", "segment_program", "other_models", "auditor", "launch", "pretrain")


def pytest_collection_modifyitems(items: list) -> None:
    """Files that take long begin first, so that at the end no process is left alone with one of them."""
    places = {f"test_{name}.py": place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))


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
def golden_requests(released) -> list[tuple[dict, str]]:
    """The masks of golden generation: each as an item, and the mode that it comes from."""
    from dataset.batches.audit_dataset import build_dataset
    from dataset.benchmark.annotations import read_test

    items = []
    for row in golden_json("06_generation.json")["samples"]:
        benchmark = read_test(BENCHMARK, "test_s", row["eval_mode"])
        dataset = build_dataset(
            benchmark.samples, released.tokenizer, released.pixels, released.auditor.config, benchmark.requests()
        )
        items.append((dataset[row["dataset_index"]], row["eval_mode"]))
    return items


class RememberingTower(torch.nn.Module):
    """A frozen vision tower that encodes each image once per test session; the golden CLIP takes 0.2 s an image."""

    known: dict[bytes, torch.Tensor] = {}

    def __init__(self, tower):
        super().__init__()
        self.tower, self.hidden_size = tower, tower.hidden_size

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        keys = [image.numpy().tobytes() for image in pixel_values]
        new = [i for i, key in enumerate(keys) if key not in self.known]
        if new:
            self.known.update(zip([keys[i] for i in new], self.tower(pixel_values[new]), strict=True))
        return torch.stack([self.known[key] for key in keys])


@pytest.fixture(scope="session")
def released(model_args):
    """The AuditorBundle of the golden checkpoint pair."""
    from models.weights.bundle import AuditorBundle

    bundle = AuditorBundle.from_pretrained(GOLDEN / "weights" / "ckpt", model_args)
    bundle.auditor.vision_encoder = RememberingTower(bundle.auditor.vision_encoder)
    return bundle


@pytest.fixture(scope="session")
def quick_weights_dir(tmp_path_factory) -> Path:
    """The tiny parts with a CLIP of two layers at 28 pixels, for tests that care about the machinery only."""
    return assemble_pretrained_weights(tmp_path_factory.mktemp("quick") / "pretrained_weights", small_clip=True)


@pytest.fixture(scope="session")
def quick_args(quick_weights_dir) -> ModelArguments:
    return ModelArguments(pretrained_weights_dir=str(quick_weights_dir), lora_r=4, lora_alpha=8)


@pytest.fixture
def server():
    """A server of other auditors."""
    with serving() as one:
        yield one
