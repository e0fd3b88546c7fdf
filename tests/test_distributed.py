"""Two processes and every DeepSpeed stage train like one process, and go on in the middle of any epoch.

Measured on a CPU in float32 after 4 steps, largest weight 1.9: DDP differs from one process by at most 1e-6, DeepSpeed
by 3e-5. Adam divides by second moments, which are near zero where gradients are rounding noise.
"""

import json
import os
import shutil
import subprocess
from functools import partial
from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.conftest import BENCHMARK

WEIGHT_FILES = ("adapter_model.safetensors", "projectors.safetensors", "token_rows.safetensors")
TRAIN_FILE = "train_audit_only_filtered.json"
STEPS = 4  # two epochs
STOP = 3  # in the middle of the second one


@pytest.fixture(scope="module")
def steady_weights_dir(quick_weights_dir, tmp_path_factory) -> Path:
    """The quick parts without dropout: processes draw different random numbers."""
    folder = Path(shutil.copytree(quick_weights_dir, tmp_path_factory.mktemp("steady") / "weights"))
    path = folder / "google-bert-base-uncased/config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}))
    return folder


def write_four_videos(folder: Path) -> Path:
    """The golden benchmark with each of its two training videos under a second name."""
    shutil.copytree(BENCHMARK, folder)
    table, annotations = (folder / "train_test_meta_files" / name for name in ("metadata.csv", TRAIN_FILE))
    rows, masks = table.read_text().splitlines(), json.loads(annotations.read_text())
    for number, uid in enumerate(list(masks), start=10):
        name = f"{uid.rpartition('_')[0]}_{number}"
        masks[name] = masks[uid]
        rows += [row.replace(f",{uid},", f",{name},") for row in rows if f",{uid}," in row]
    table.write_text("\n".join(rows) + "\n")
    annotations.write_text(json.dumps(masks))
    return folder


@pytest.fixture(scope="module")
def four_videos(tmp_path_factory) -> Path:
    return write_four_videos(tmp_path_factory.mktemp("four") / "MQ-RAVSBench")


@pytest.fixture(scope="module")
def train(steady_weights_dir, four_videos):
    return partial(run_training, steady_weights_dir, four_videos)


def run_training(
    weights_dir: Path, data_dir: Path, output: Path, num_processes: int, deepspeed: Path | None = None, *flags: str
) -> list[float]:
    """Two epochs over four videos through the launch script; the logged losses."""
    settings = {
        "PRETRAINED_WEIGHTS_DIR": weights_dir,
        "MQ_RAVSBENCH_DIR": data_dir,
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
    command += ["--save_strategy", "steps", "--save_steps", str(STOP), *flags]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    history = json.loads((output / "trainer_state.json").read_text())["log_history"]
    return [row["loss"] for row in history if "loss" in row]


@pytest.fixture(scope="module")
def one_process(train, tmp_path_factory):
    output = tmp_path_factory.mktemp("one") / "MQ-Auditor"
    return output, train(output, num_processes=1)


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


def resumed(train, run: Path, *more) -> Path:
    """The result of a run that is stopped at STOP and started again."""
    output = run.parent / "resumed"
    shutil.copytree(run / f"checkpoint-{STOP}", output / f"checkpoint-{STOP}")
    train(output, 2, *more)
    return output


def test_two_processes_equal_one_and_resume(one_process, train, tmp_path):
    output, losses = one_process
    assert train(tmp_path / "out", 2) == pytest.approx(losses, rel=1e-5)
    assert largest_difference(output, tmp_path / "out") < 1e-5
    assert largest_difference(tmp_path / "out", resumed(train, tmp_path / "out")) == 0


@pytest.mark.parametrize(("stage", "resumes"), [("stage2", True), ("stage2-offload", False), ("stage3", True)])
def test_deepspeed_equals_one_process_and_resumes(one_process, train, tmp_path, stage, resumes):
    output, losses = one_process
    config = cpu_config(stage, tmp_path)
    assert train(tmp_path / "out", 2, config) == pytest.approx(losses, rel=1e-4)
    assert largest_difference(output, tmp_path / "out") < 1e-4
    if resumes:
        assert largest_difference(tmp_path / "out", resumed(train, tmp_path / "out", config)) == 0


def test_two_processes_sample_audits_of_their_own_and_resume(one_process, train, tmp_path):
    config = cpu_config("stage2", tmp_path)
    policy = ("--objective", "policy", "--answers_per_mask", "2", "--start_from", str(one_process[0]))
    assert len(train(tmp_path / "out", 2, config, *policy)) > 0
    assert largest_difference(one_process[0], tmp_path / "out") > 0
    assert largest_difference(tmp_path / "out", resumed(train, tmp_path / "out", config, *policy)) == 0
