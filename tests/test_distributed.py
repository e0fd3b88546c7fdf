"""Two processes and every DeepSpeed stage train like one process, and go on after an interruption."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.conftest import BENCHMARK

WEIGHT_FILES = ("adapter_model.safetensors", "projectors.safetensors", "token_rows.safetensors")
STEPS = 3


@pytest.fixture(scope="module")
def steady_weights_dir(quick_weights_dir, tmp_path_factory) -> Path:
    """The quick parts without dropout: processes draw different random numbers."""
    folder = Path(shutil.copytree(quick_weights_dir, tmp_path_factory.mktemp("steady") / "weights"))
    path = folder / "google-bert-base-uncased/config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}))
    return folder


def train(weights_dir: Path, output: Path, num_processes: int, deepspeed: Path | None = None) -> list[float]:
    """Three steps over two videos through the launch script; the logged losses."""
    settings = {
        "PRETRAINED_WEIGHTS_DIR": weights_dir,
        "MQ_RAVSBENCH_DIR": BENCHMARK,
        "OUTPUT_DIR": output,
        "NPROC_PER_NODE": num_processes,
        "DEEPSPEED_CONFIG": deepspeed or "",
        "MAX_STEPS": STEPS,
        "LOCAL_BATCH_SIZE": 1,
        "GRADIENT_ACCUMULATION_STEPS": 2 // num_processes,
        "LEARNING_RATE": 1e-3,
        "LORA_R": 4,
        "LORA_ALPHA": 8,
        "LORA_DROPOUT": 0,
        "OMP_NUM_THREADS": 1,
    }
    environment = {**os.environ, **{name: str(value) for name, value in settings.items()}}
    command = ["bash", "scripts/finetune/finetune_hyperlora.sh", "--report_to", "none", "--dataloader_num_workers", "0"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    history = json.loads((output / "trainer_state.json").read_text())["log_history"]
    return [row["loss"] for row in history if "loss" in row]


@pytest.fixture(scope="module")
def one_process(steady_weights_dir, tmp_path_factory):
    output = tmp_path_factory.mktemp("one") / "MQ-Auditor"
    return output, train(steady_weights_dir, output, num_processes=1)


def largest_difference(a: Path, b: Path) -> float:
    pairs = [(load_file(a / name), load_file(b / name)) for name in WEIGHT_FILES]
    assert all(x.keys() == y.keys() for x, y in pairs)
    return max((x[key] - y[key]).abs().max().item() for x, y in pairs for key in x)


def cpu_config(name: str, folder: Path) -> Path:
    """A DeepSpeed config as it is used on GPUs, with torch's own Adam: DeepSpeed's does not resume to the bit."""
    config = json.loads(Path("deepspeed", f"{name}.json").read_text())
    path = folder / f"{name}.json"
    path.write_text(json.dumps({**config, "torch_adam": True, "zero_force_ds_cpu_optimizer": False}))
    return path


def test_two_processes_equal_one(one_process, steady_weights_dir, tmp_path):
    output, losses = one_process
    assert train(steady_weights_dir, tmp_path / "out", num_processes=2) == pytest.approx(losses, rel=1e-5)
    assert largest_difference(output, tmp_path / "out") < 1e-5


@pytest.mark.parametrize("stage", ["stage2", "stage3"])
def test_deepspeed_equals_one_process_and_resumes(one_process, steady_weights_dir, tmp_path, stage):
    output, losses = one_process
    config = cpu_config(stage, tmp_path)
    assert train(steady_weights_dir, tmp_path / "out", 2, config) == pytest.approx(losses, rel=1e-4)
    # Adam divides by near-zero second moments where gradients are rounding noise, hence not 1e-6
    assert largest_difference(output, tmp_path / "out") < 1e-4

    resumed = tmp_path / "resumed"
    shutil.copytree(tmp_path / "out/checkpoint-1", resumed / "checkpoint-1")
    assert train(steady_weights_dir, resumed, 2, config) == pytest.approx(losses, rel=1e-4)
    assert largest_difference(tmp_path / "out", resumed) == 0
