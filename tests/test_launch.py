"""The launch scripts: a recipe's settings reach the program, variables override them, defaults live in one place."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.conftest import BENCHMARK

RECIPE = {
    "learning_rate": 3e-4,
    "lora_r": 3,
    "lora_alpha": 6,
    "max_steps": 1,
    "per_device_train_batch_size": 1,
    "gradient_accumulation_steps": 1,
    "eval_fraction": 0,
    "report_to": "none",
    "dataloader_num_workers": 0,
    "save_strategy": "no",
}
LAUNCH_SCRIPTS = [
    "scripts/finetune/finetune_hyperlora.sh",
    "scripts/finetune/inference_hyper_lora.sh",
    "scripts/evaluate/baseline.sh",
    "scripts/think/finetune_ref_thinker.sh",
    "scripts/think/inference_ref_thinker.sh",
    "scripts/pretrain/pretrain.sh",
]


def test_a_recipe_reaches_the_run_and_variables_override_it(quick_weights_dir, tmp_path):
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(RECIPE))
    settings = {
        "PRETRAINED_WEIGHTS_DIR": quick_weights_dir,
        "MQ_RAVSBENCH_DIR": BENCHMARK,
        "OUTPUT_DIR": tmp_path / "out",
        "RECIPE": tmp_path / "recipe.yaml",
        "LORA_ALPHA": 9,
    }
    environment = {**os.environ, **{name: str(value) for name, value in settings.items()}}
    command = ["bash", "scripts/finetune/finetune_hyperlora.sh"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    used = json.loads((tmp_path / "out/run.json").read_text())["settings"]
    assert (used["learning_rate"], used["lora_r"], used["lora_alpha"], used["lora_dropout"]) == (3e-4, 3, 9, 0.05)


@pytest.mark.parametrize("script", LAUNCH_SCRIPTS)
def test_launch_scripts_hold_no_default_of_a_setting(script):
    """`VARIABLE=${VARIABLE:-value}` would override a recipe."""
    assert not re.findall(r"^\w+=\$\{.*", Path(script).read_text(), re.MULTILINE)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"NPROC_PER_NODE": "abc"}, "NPROC_PER_NODE: expected a whole number from 1 on, got abc"),
        ({"NPROC_PER_NODE": "0"}, "NPROC_PER_NODE: expected a whole number from 1 on, got 0"),
        ({"NNODES": "2"}, "NODE_RANK: expected a whole number from 0 on, got ''"),
        ({"NNODES": "2", "NODE_RANK": "2"}, "NODE_RANK: expected a number below NNODES (2), got 2"),
        (
            {"NNODES": "2", "NODE_RANK": "1"},
            "MASTER_ADDR: expected the name or address of the computer with NODE_RANK=0",
        ),
    ],
)
def test_wrong_numbers_of_processes_end_with_one_sentence(settings, sentence):
    environment = {name: value for name, value in os.environ.items() if name not in ("NODE_RANK", "MASTER_ADDR")}
    command = ["bash", "scripts/finetune/finetune_hyperlora.sh"]
    done = subprocess.run(command, env=environment | settings, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.startswith(sentence) and len(done.stderr.splitlines()) == 1


def test_repairing_needs_what_the_quickstart_has_made(tmp_path):
    environment = {**os.environ, "RESULTS": str(tmp_path)}
    done = subprocess.run(["bash", "scripts/repair_quickstart.sh"], env=environment, capture_output=True, text=True)
    assert done.returncode == 2
    assert f"{tmp_path}: expected what scripts/quickstart.sh writes, got no world/facts.json" in done.stderr
