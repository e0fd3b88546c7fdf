"""The real training program on the golden benchmark: what moves, what a checkpoint holds, and resuming."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file

from models.auditor.auditor import Auditor
from models.weights.bundle import AuditorBundle
from models.weights.published import read_pretrained_projector
from scripts.finetune.finetune_hyperlora import main as finetune
from scripts.training.checkpoints import find_resumable
from scripts.training.trainer import PartsTrainer
from tests.conftest import BENCHMARK, GOLDEN
from tests.file_damage import DAMAGES, linked_copy
from utils.manifest import check_manifest, read_manifest

RECIPE = "configs/recipes/finetune_hyperlora.yaml"
WEIGHT_FILES = ("adapter_model.safetensors", "projectors.safetensors", "token_rows.safetensors")


def flags(weights, output, *more) -> list[str]:
    return [
        RECIPE, "--pretrained_weights_dir", str(weights), "--data_dir", str(BENCHMARK), "--output_dir", str(output),
        "--lora_r", "4", "--lora_alpha", "8", "--learning_rate", "1e-3", "--use_cpu", "true",
        "--per_device_train_batch_size", "1", "--gradient_accumulation_steps", "2", "--dataloader_num_workers", "0",
        "--report_to", "none", "--num_train_epochs", "4", "--save_total_limit", "9", *more,
    ]  # fmt: skip


@pytest.fixture(scope="module")
def run(quick_weights_dir, tmp_path_factory):
    """Four epochs of one step each, without interruption."""
    output = tmp_path_factory.mktemp("training") / "MQ-Auditor"
    assert finetune(flags(quick_weights_dir, output)) == 0
    return output


def weights(folder) -> dict[str, torch.Tensor]:
    return {key: tensor for name in WEIGHT_FILES for key, tensor in load_file(folder / name).items()}


def losses(folder) -> list[float]:
    return [
        row["loss"] for row in json.loads((folder / "trainer_state.json").read_text())["log_history"] if "loss" in row
    ]


def test_everything_that_learns_moves(run):
    first, last = weights(run / "checkpoint-1"), weights(run)
    assert first.keys() == last.keys()
    still = [key for key in first if torch.equal(first[key], last[key])]
    # a key bias shifts all scores alike, so softmax gives it no gradient but rounding noise
    assert [key for key in still if not key.endswith("key.bias")] == []


def test_loss_falls_and_is_logged(quick_weights_dir, tmp_path):
    output = tmp_path / "MQ-Auditor"
    assert finetune(flags(quick_weights_dir, output, "--pos_ratio", "1")) == 0  # the same masks in every epoch
    assert len(losses(output)) == 4
    assert losses(output)[-1] < losses(output)[0]


def test_the_result_and_its_checkpoints_have_manifests(run):
    for folder in (run, run / "checkpoint-1"):
        assert {"config.json", "adapter_model.safetensors", "tokenizer.json"} <= read_manifest(folder).keys()
        check_manifest(folder)


def test_the_result_is_an_auditor_folder_and_says_how_it_was_made(run):
    auditor = AuditorBundle.from_pretrained(run).auditor
    assert auditor.config.lora == {"r": 4, "lora_alpha": 8, "lora_dropout": 0.05}
    record = json.loads((run / "run.json").read_text())
    assert record["seed"] == 42 and record["settings"]["pos_ratio"] == 0.5
    assert any(name.endswith("metadata.csv") for name in record["data"])


def test_an_interrupted_run_goes_on_to_the_same_weights(run, quick_weights_dir, tmp_path, caplog):
    """Stopped after three of four epochs, the third checkpoint with a flipped bit: the same losses, the same bits."""
    output = tmp_path / "MQ-Auditor"
    for step in (1, 2, 3):
        shutil.copytree(run / f"checkpoint-{step}", output / f"checkpoint-{step}")
    DAMAGES["one bit"](output / "checkpoint-3/adapter_model.safetensors")
    assert finetune(flags(quick_weights_dir, output)) == 0
    assert "adapter_model.safetensors: expected a file whose SHA-256 begins with" in caplog.text
    assert not (output / "torn-checkpoint-3").exists()
    assert losses(output) == losses(run)
    whole, resumed = weights(run), weights(output)
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)


def test_a_checkpoint_holds_the_trainers_full_state(run):
    for name in ("optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json", "config.json"):
        assert (run / "checkpoint-4" / name).is_file()
    assert find_resumable(str(run)) == str(run / "checkpoint-4")
    assert find_resumable(str(run / "nowhere")) is None


def test_each_damaged_file_sends_a_run_back_one_checkpoint(run, tmp_path):
    for path in (run / "checkpoint-4").iterdir():
        for name, damage in DAMAGES.items():
            copy = tmp_path / f"{path.name} {name}"
            linked_copy(run / "checkpoint-3", copy / "checkpoint-3")
            damage(linked_copy(run / "checkpoint-4", copy / "checkpoint-4") / path.name)
            assert find_resumable(copy) == str(copy / "checkpoint-3"), copy.name
    assert len(list(tmp_path.iterdir())) >= 4 * 11


def test_a_disk_that_fills_up_leaves_the_old_checkpoints(run, quick_weights_dir, tmp_path, monkeypatch, capsys):
    """The error of torch, which names no file, at the second of two files of a checkpoint."""
    output = tmp_path / "MQ-Auditor"
    linked_copy(run / "checkpoint-3", output / "checkpoint-3")

    def full(*args):
        raise RuntimeError("[enforce fail at inline_container.cc:858] . PytorchStreamWriter failed writing file data/0")

    monkeypatch.setattr(PartsTrainer, "_save_rng_state", full)
    assert finetune(flags(quick_weights_dir, output)) == 2
    assert f"finetune: {output}/checkpoint-4: could not be written, " in capsys.readouterr().err
    assert {path.name for path in output.iterdir()} >= {"checkpoint-3"}
    assert not {"checkpoint-4", ".unfinished"} & {path.name for path in output.iterdir()}


def test_held_out_videos_are_evaluated(quick_weights_dir, tmp_path):
    more = ("--eval_fraction", "0.5", "--max_steps", "1", "--save_strategy", "no")
    assert finetune(flags(quick_weights_dir, tmp_path / "out", *more)) == 0
    history = json.loads((tmp_path / "out/trainer_state.json").read_text())["log_history"]
    assert [row["eval_loss"] for row in history if "eval_loss" in row]


@pytest.mark.parametrize(("free_gb", "state"), [(1e6, "off"), (1e-6, "on")])
def test_checkpointing_only_where_memory_asks_for_it(
    run, quick_weights_dir, tmp_path, monkeypatch, caplog, free_gb, state
):
    """The measured step changes nothing of the training: random numbers and gradients are as without."""
    monkeypatch.setattr("scripts.memory.MemoryBudget._available", lambda budget: free_gb * 2**30)
    enabled, enable = [], Auditor.gradient_checkpointing_enable
    monkeypatch.setattr(
        Auditor,
        "gradient_checkpointing_enable",
        lambda own, *more, **named: enabled.append(1) or enable(own, *more, **named),
    )
    with caplog.at_level("INFO", "finetune"):
        assert finetune(flags(quick_weights_dir, tmp_path / "out", "--measure_checkpointing", "true")) == 0
    assert f"gradient checkpointing is {state}: a step" in caplog.text
    assert bool(enabled) == (state == "on")
    assert losses(tmp_path / "out") == pytest.approx(losses(run), rel=1e-5)


def test_checkpointing_is_measured_in_bfloat16(quick_weights_dir, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(PartsTrainer, "complete", lambda *_: None)  # a step in bfloat16 takes a CPU seconds
    more = ("--measure_checkpointing", "true", "--bf16", "true", "--max_steps", "1", "--save_strategy", "no")
    with caplog.at_level("INFO", "finetune"):
        assert finetune(flags(quick_weights_dir, tmp_path / "out", *more)) == 0
    assert "gradient checkpointing is off: a step" in caplog.text


def test_regress_st_trains_and_audits(quick_weights_dir, tmp_path):
    from tests.test_inference import audit

    more = ("--iou_estimation", "regress_st", "--max_steps", "1", "--save_strategy", "no")
    assert finetune(flags(quick_weights_dir, tmp_path / "out", *more)) == 0
    bundle = AuditorBundle.from_pretrained(tmp_path / "out")
    assert bundle.auditor.config.vocab_size == 509 and bundle.auditor.iou_head.out_features == 1
    assert bundle.tokenizer.convert_tokens_to_ids("<iou_value>") == 508
    assert audit(tmp_path / "out", tmp_path / "results", "--mask_type_filter", "merge", "--max_new_tokens", "4") == 0


def test_wrong_settings_end_with_one_sentence(quick_weights_dir, tmp_path, capsys):
    bad = [
        (["--data_dir", str(tmp_path / "absent")], "absent: no such folder"),
        (["--audio_pretrain_path", str(tmp_path / "absent.bin")], "--audio_pretrain_path: expected"),
    ]
    for more, sentence in bad:
        assert finetune(flags(quick_weights_dir, tmp_path / "out", *more)) == 2
        complaint = capsys.readouterr().err.strip().splitlines()[-1]
        assert complaint.startswith("finetune: ") and sentence in complaint


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["absent.yaml"], "recipe absent.yaml: no such file"),
        (["--no_such_flag", "1"], "finetune: unknown flag or key: --no_such_flag 1"),
        (["--pos_ratio", "1.5"], "--pos_ratio: expected a number from 0 to 1, got 1.5"),
        (["--mask_encode_mode", "both"], "mask_encode_mode: expected one of"),
        (["--decision_weight", "-1"], "--decision_weight: expected a number from 0 to 1000, got -1"),
        (["--train_fraction", "0"], "--train_fraction: expected a number above 0 to 1, got 0"),
    ],
)
def test_wrong_flags_end_with_one_sentence(argv, sentence, capsys):
    with pytest.raises(SystemExit) as stopped:
        finetune(argv)
    assert stopped.value.code == 2
    assert sentence in capsys.readouterr().err


def test_an_unknown_key_in_a_recipe_fails(tmp_path, capsys):
    (tmp_path / "recipe.yaml").write_text("learning_rat: 0.1\n")
    with pytest.raises(SystemExit):
        finetune([str(tmp_path / "recipe.yaml")])
    assert "unknown flag or key: --learning_rat 0.1" in capsys.readouterr().err


def test_a_released_auditor_is_not_trained_into(quick_weights_dir, tmp_path, capsys):
    shutil.copytree(GOLDEN / "weights/ckpt", tmp_path / "MQ-Auditor")
    assert finetune(flags(quick_weights_dir, tmp_path / "MQ-Auditor")) == 2
    assert "holds a released auditor; expected another folder" in capsys.readouterr().err
    assert (tmp_path / "MQ-Auditor/checkpoint-3/finetune_weights.bin").is_file()


def test_a_finished_run_is_not_trained_further(run, quick_weights_dir, tmp_path, caplog):
    output = shutil.copytree(run, tmp_path / "MQ-Auditor")
    assert finetune(flags(quick_weights_dir, output, "--pos_ratio", "0.25")) == 0
    assert "nothing is trained with other settings: pos_ratio: 0.5 -> 0.25" in caplog.text
    assert (output / "run.json").read_bytes() == (run / "run.json").read_bytes()
    assert not (output / "checkpoint-5").exists()
    assert losses(output) == losses(run)
    assert all(torch.equal(tensor, weights(output)[key]) for key, tensor in weights(run).items())


def test_a_run_that_was_killed_before_its_last_file_is_completed(run, quick_weights_dir, tmp_path):
    output = tmp_path / "MQ-Auditor"
    shutil.copytree(run / "checkpoint-4", output / "checkpoint-4")
    assert finetune(flags(quick_weights_dir, output)) == 0
    assert losses(output) == losses(run)
    assert all(torch.equal(tensor, weights(output)[key]) for key, tensor in weights(run).items())


def test_parts_have_learning_rates_of_their_own(run, quick_weights_dir, tmp_path):
    output = tmp_path / "MQ-Auditor"
    scales = ["--projector_lr_scale", "0", "--output_head_lr_scale", "3"]
    assert finetune(flags(quick_weights_dir, output, *scales)) == 0
    ours, theirs = weights(output), weights(run)
    start = read_pretrained_projector(quick_weights_dir / "visual_pretrain.bin", "vision_projector")
    assert all(torch.equal(ours[name], tensor) for name, tensor in start.items())
    assert not all(torch.equal(theirs[name], tensor) for name, tensor in start.items())
    head = next(name for name in ours if name.endswith("lm_head.weight"))
    assert not torch.equal(ours[head], theirs[head])


def test_a_checkpoint_of_another_auditor_is_refused(run, quick_weights_dir, tmp_path, capsys):
    output = shutil.copytree(run, tmp_path / "MQ-Auditor")
    before = (output / "run.json").read_bytes()
    assert finetune(flags(quick_weights_dir, output, "--lora_alpha", "16")) == 2
    assert (
        "lora: expected {'r': 4, 'lora_alpha': 16, 'lora_dropout': 0.05}, as asked for, got" in capsys.readouterr().err
    )
    assert (output / "run.json").read_bytes() == before
