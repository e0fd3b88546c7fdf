"""A sweep: its recipe, runs that are shared and finished, tables as they come."""

import json
import re
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file

from scripts.evaluate import sweep
from scripts.evaluate.sweep import main, read_sweep
from tests.conftest import BENCHMARK
from utils.reports.ablation_picture import OURS, PAPERS, ablation_picture


def recipe(tmp_path, weights, **changes) -> str:
    environment = {
        "PRETRAINED_WEIGHTS_DIR": str(weights),
        "MQ_RAVSBENCH_DIR": str(BENCHMARK.absolute()),
        "LORA_R": 4,
        "LORA_ALPHA": 8,
        "LOCAL_BATCH_SIZE": 1,
        "GRADIENT_ACCUMULATION_STEPS": 1,
        "MAX_STEPS": 1,
        "BATCH_SIZE": 4,
        "MAX_NEW_TOKENS": 4,
    }
    content = {
        "results": str(tmp_path / "sweep"),
        "tests": ["test_s"],
        "environment": environment,
        "flags": {"dataloader_num_workers": 0, "report_to": "none", "save_strategy": "no", "eval_fraction": 0},
        "tables": {
            "Table 6: positive ratio": {"0.5": {}, "0.25": {"pos_ratio": 0.25}},
            "inputs left out": {"none": {}, "audio": {"without": ["audio"]}},
        },
    }
    path = tmp_path / "sweep.yaml"
    path.write_text(yaml.safe_dump(content | changes))
    return str(path)


def test_equal_runs_are_one_run(tmp_path, quick_weights_dir):
    tables = read_sweep(recipe(tmp_path, quick_weights_dir))["tables"]
    assert tables["Table 6: positive ratio"]["0.5"].name == tables["inputs left out"]["none"].name
    assert len({run.name for rows in tables.values() for run in rows.values()}) == 3


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"more": 1}, "expected the keys"),
        ({"tables": {"a": 3}}, "a: expected rows"),
        ({"tables": {}}, "expected the keys"),
        ({"flags": [1]}, "flags: expected"),
        ({"first": 1}, "first: expected 'name: value' lines, got 1"),
        ({"tests": ["val"]}, "tests: expected some of test_s, test_u"),
    ],
)
def test_recipes_that_are_none(tmp_path, quick_weights_dir, capsys, changes, said):
    assert main([recipe(tmp_path, quick_weights_dir, **changes)]) == 2
    assert said in capsys.readouterr().err


def test_a_sweep(tmp_path, quick_weights_dir, monkeypatch, capsys):
    path = recipe(tmp_path, quick_weights_dir, tables={"inputs left out": {"audio": {"without": ["audio"]}}})
    assert main([path]) == 0
    root = tmp_path / "sweep"
    tables = json.loads((root / "tables.json").read_text())["inputs left out"]
    assert set(tables) == {"audio"}
    config = json.loads((root / tables["audio"]["run"] / "MQ-Auditor/config.json").read_text())
    assert config["without"] == ["audio"]
    assert "| RMSE | audio |" in capsys.readouterr().out
    assert cv2.imread(str(root / "tables.png")) is not None
    stamps = {path: path.stat().st_mtime_ns for path in root.rglob("*.safetensors")}
    assert main([path]) == 0
    assert stamps == {path: path.stat().st_mtime_ns for path in root.rglob("*.safetensors")}

    def fail(run, *_):
        raise ValueError("finetune ended with exit code 1")

    monkeypatch.setattr(sweep, "make_run", fail)
    rows = {"none": {}, "audio": {"without": ["audio"]}}  # a new row before the finished one
    assert main([recipe(tmp_path, quick_weights_dir, tables={"inputs left out": rows})]) == 2
    assert set(json.loads((root / "tables.json").read_text())["inputs left out"]) == {"audio"}


def test_a_run_of_two_trainings(tmp_path, quick_weights_dir):
    """The second begins with what the first has learned: with a learning rate of 0 it keeps that."""
    flags = {"report_to": "none", "eval_fraction": 0, "learning_rate": 0, "known_clips": 0}
    first = {"learning_rate": 0.01, "max_steps": 2}
    path = recipe(tmp_path, quick_weights_dir, flags=flags, first=first, tables={"a": {"b": {}}})
    assert main([path]) == 0
    root = tmp_path / "sweep"
    folder = root / json.loads((root / "tables.json").read_text())["a"]["b"]["run"]
    assert json.loads((folder / "first/trainer_state.json").read_text())["global_step"] == 2
    adapters = [folder / name / "adapter_model.safetensors" for name in ("first", "MQ-Auditor")]
    learned, kept = (load_file(path) for path in adapters)
    assert all(torch.equal(learned[name], kept[name]) for name in learned)
    lora_b = [value for name, value in learned.items() if "lora_B" in name]
    assert lora_b and all(value.any() for value in lora_b)  # before training these are zero
    settings = json.loads((folder / "settings.json").read_text())
    assert settings["first"] == {"learning_rate": "0.01", "max_steps": "2"}


def test_the_mini_sweep_begins_as_the_quickstart():
    """Both write down the first training's flags."""
    script = Path("scripts/quickstart.sh").read_text()
    (line,) = re.findall(r'^finetune "\$RESULTS/head" "\$HEAD_STEPS" ((?:.*\\\n)*.*)', script, re.MULTILINE)
    steps = re.search(r"HEAD_STEPS:-(\d+)", script)[1]
    flags = {name: float(value) for name, value in re.findall(r"--(\w+) (\S+)", line)} | {"max_steps": float(steps)}
    (first,) = {
        tuple(sorted(run.first.items()))
        for rows in read_sweep("configs/sweeps/mini.yaml")["tables"].values()
        for run in rows.values()
    }
    assert {name: float(value) for name, value in first} == flags and len(flags) == 7


def test_runs_side_by_side(tmp_path, quick_weights_dir, monkeypatch):
    together, seen = threading.Barrier(3), []

    def make_run(run, folder, tests, variables):
        seen.append(variables)
        together.wait(timeout=60)  # until all three are at work

    scored, score_run = [], sweep.score_run
    monkeypatch.setattr(sweep, "make_run", make_run)
    monkeypatch.setattr(
        sweep, "score_run", lambda folder, tests: scored.append(folder.name) or score_run(folder, tests)
    )
    assert main([recipe(tmp_path, quick_weights_dir), "--at_once", "3"]) == 0
    assert [set(variables) for variables in seen] == [{"OMP_NUM_THREADS"}] * 3
    tables = json.loads((tmp_path / "sweep/tables.json").read_text())
    assert {own["run"] for rows in tables.values() for own in rows.values()} == set(scored)
    assert len(scored) == 3  # once each: the intervals take seconds


def test_a_run_that_fails_ends_the_sweep(tmp_path, quick_weights_dir, monkeypatch, capsys):
    tried = []

    def make_run(run, *_):
        tried.append(run)
        if len(tried) > 1:  # it may have begun before the first one's end is seen; the last one must not begin
            time.sleep(3)
        raise ValueError("finetune ended with exit code 1")

    monkeypatch.setattr(sweep, "make_run", make_run)
    assert main([recipe(tmp_path, quick_weights_dir)]) == 2
    assert len(tried) < 3 and "exit code 1" in capsys.readouterr().err


def test_only_some_tables(tmp_path, quick_weights_dir, capsys):
    assert main([recipe(tmp_path, quick_weights_dir), "--tables", "no such table"]) == 2
    assert "--tables: expected some of Table 6: positive ratio, inputs left out" in capsys.readouterr().err


def test_the_picture_shows_what_there_is(tmp_path):
    """Ours where a run has a value, the paper's where it has the run; a table without runs takes no room."""

    def drawn(**tables) -> np.ndarray:
        ablation_picture(tables, {"with paper": {"a": cells}}, tmp_path / "tables.png")
        return cv2.imread(str(tmp_path / "tables.png"))[..., ::-1]

    def shown(picture: np.ndarray, colour: str) -> int:
        rows = picture[130:]  # below the legend
        return int((np.abs(rows - np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])).sum(-1) < 6).sum())

    cells = {metric: {"avg": 0.3} for metric in ("rmse", "f2_mask_type", "f2_action")}
    run = {"cells": cells, "interval": dict.fromkeys(cells, (0.2, 0.4))}
    unknown = {"cells": dict.fromkeys(cells, {"avg": None}), "interval": dict.fromkeys(cells, (None, None))}
    ours, both = drawn(ours={"a": run}), drawn(**{"with paper": {"a": run}})
    assert shown(ours, OURS) > 500 and shown(ours, PAPERS) == 0 and shown(both, PAPERS) > 50
    assert shown(drawn(ours={"a": unknown}), OURS) == 0
    assert drawn(ours={"a": run}, none={}).shape == ours.shape
