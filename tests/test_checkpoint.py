"""Our auditor folder: written, read back with the same logits, converted both ways."""

import filecmp
import json
import shutil

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from configs.model import ModelArguments
from dataset.batches.audit_dataset import build_dataset
from dataset.batches.collator import AuditCollator
from dataset.benchmark.annotations import read_test
from models.weights.bundle import AuditorBundle
from models.weights.checkpoint import find_auditor
from scripts.finetune.convert import main as convert
from tests.conftest import BENCHMARK, GOLDEN
from utils.manifest import MANIFEST, check_manifest

CKPT = GOLDEN / "weights/ckpt"
WEIGHT_FILES = ("adapter_model.safetensors", "projectors.safetensors", "token_rows.safetensors")


@pytest.fixture(scope="module")
def quick(quick_args):
    return AuditorBundle.from_pretrained(CKPT, quick_args)


@pytest.fixture(scope="module")
def folder(quick, tmp_path_factory):
    path = tmp_path_factory.mktemp("auditor") / "MQ-Auditor"
    return quick.save_pretrained(path)


@pytest.fixture(scope="module")
def batch(quick):
    benchmark = read_test(BENCHMARK, "test_s", "image")
    dataset = build_dataset(
        benchmark.samples, quick.tokenizer, quick.pixels, quick.auditor.config, benchmark.requests()
    )
    return AuditCollator(quick.tokenizer.pad_token_id)([dataset[0], dataset[27]])


def logits(auditor, batch):
    with torch.no_grad():
        return auditor(**{**batch, "labels": None}).logits


def test_one_call_loads_it_back_with_the_same_logits(quick, folder, batch):
    again = AuditorBundle.from_pretrained(folder)  # the folder itself says where the bases are
    assert torch.equal(logits(again.auditor, batch), logits(quick.auditor, batch))
    assert again.tokenizer.get_vocab() == quick.tokenizer.get_vocab()
    assert again.pixels == quick.pixels


def test_a_moved_base_is_found_by_its_name(folder, quick_weights_dir, tmp_path):
    moved = shutil.copytree(folder, tmp_path / "moved")
    config = json.loads((moved / "config.json").read_text())
    config["bases"] = {
        base: path.replace(str(quick_weights_dir), "/elsewhere") for base, path in config["bases"].items()
    }
    (moved / "config.json").write_text(json.dumps(config))
    (moved / MANIFEST).unlink()
    AuditorBundle.from_pretrained(moved, ModelArguments(pretrained_weights_dir=str(quick_weights_dir)))
    with pytest.raises(FileNotFoundError, match="language_model: expected /elsewhere/.*, got neither"):
        AuditorBundle.from_pretrained(moved)


def test_peft_reads_the_adapter(quick, folder, quick_weights_dir):
    base = AutoModelForCausalLM.from_pretrained(quick_weights_dir / "Llama-2-7b-chat-hf", dtype=torch.float32)
    ours = dict(quick.auditor.language_model.named_parameters())
    adapter = PeftModel.from_pretrained(base, folder)
    loaded = {name: p for name, p in adapter.named_parameters() if ".lora_" in name}
    assert loaded and all(torch.equal(p, ours[name]) for name, p in loaded.items())


def test_released_pair_to_our_folder_and_back(quick_weights_dir, tmp_path, capsys):
    parts = ["--pretrained_weights_dir", str(quick_weights_dir), "--lora_r", "4", "--lora_alpha", "8"]
    places = [str(tmp_path / name) for name in ("ours", "pair", "again")]
    assert convert(["--source", str(CKPT), "--target", places[0], *parts]) == 0
    assert convert(["--source", places[0], "--target", places[1], "--step", "3"]) == 0
    assert convert(["--source", places[1], "--target", places[2], *parts]) == 0
    names = (*WEIGHT_FILES, "config.json", "adapter_config.json", "tokenizer.json", "preprocessor_config.json")
    assert filecmp.cmpfiles(places[0], places[2], names, shallow=False) == (list(names), [], [])
    assert "written: " in capsys.readouterr().out

    original = torch.load(CKPT / "non_lora_trainables.bin", weights_only=True)
    written = torch.load(tmp_path / "pair/non_lora_trainables.bin", weights_only=True)
    assert all(torch.equal(tensor, original[key]) and tensor.dtype == torch.float16 for key, tensor in written.items())
    lora = torch.load(tmp_path / "pair/checkpoint-3/finetune_weights.bin", weights_only=True)
    expected = torch.load(CKPT / "checkpoint-3/finetune_weights.bin", weights_only=True)
    assert all(torch.equal(lora[key], expected[key]) for key in expected if ".lora_" in key)


@pytest.mark.parametrize("name", WEIGHT_FILES)
def test_a_missing_key_or_file_is_named(folder, quick_args, tmp_path, name):
    from safetensors.torch import save_file

    damaged = shutil.copytree(folder, tmp_path / "damaged")
    (damaged / MANIFEST).unlink()  # as in a folder of an earlier version
    tensors = load_file(damaged / name)
    lost = sorted(tensors)[0]
    save_file({key: tensor for key, tensor in tensors.items() if key != lost}, damaged / name)
    with pytest.raises(ValueError, match="does not fit this auditor; missing"):
        AuditorBundle.from_pretrained(damaged, quick_args)
    (damaged / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"{name}: no such file"):
        AuditorBundle.from_pretrained(damaged, quick_args)


def test_files_of_two_auditors_are_refused(folder, quick_args, tmp_path):
    mixed = shutil.copytree(folder, tmp_path / "mixed")
    name = "preprocessor_config.json"
    (mixed / name).write_text((folder / name).read_text().replace("0", "1"))
    with pytest.raises(ValueError, match=f"{name}: expected a file whose SHA-256 begins with .*, got "):
        AuditorBundle.from_pretrained(mixed, quick_args)
    shutil.copy(folder / name, mixed)
    AuditorBundle.from_pretrained(mixed, quick_args)
    (mixed / "tokenizer.model").write_bytes(b"of another tokenizer")
    with pytest.raises(ValueError, match="expected only files that manifest.json names, got tokenizer.model too"):
        AuditorBundle.from_pretrained(mixed, quick_args)


def test_an_auditor_is_replaced_among_other_files(quick, tmp_path):
    place = tmp_path / "run"
    (place / "checkpoint-1").mkdir(parents=True)
    (place / "run.json").write_text("{}")
    (place / "tokenizer.model").write_bytes(b"of an earlier auditor")
    for _ in range(2):
        quick.save_pretrained(place)
        check_manifest(place)
    assert (place / "run.json").is_file() and (place / "checkpoint-1").is_dir()
    assert not (place / "tokenizer.model").exists()
    assert not list(place.rglob(".*"))


def test_no_auditor_is_written_over_another_model(quick, quick_weights_dir, tmp_path):
    place = shutil.copytree(quick_weights_dir / "Llama-2-7b-chat-hf", tmp_path / "llm")
    with pytest.raises(ValueError, match="expected a new folder or an auditor's, got the config.json of another"):
        quick.save_pretrained(place)


def test_a_whole_auditor_beside_its_place_is_named(folder, tmp_path):
    shutil.copytree(folder, tmp_path / ".mine.12-0123abcd.old")
    with pytest.raises(FileNotFoundError, match=r"where its writing was cut off lies a whole one, .*\.old \(rename it"):
        find_auditor(tmp_path / "mine")


def test_where_an_auditor_is_looked_for(folder, tmp_path):
    assert find_auditor(folder) == folder
    assert find_auditor(CKPT) == CKPT
    for step in (2, 10):
        shutil.copytree(folder, tmp_path / f"run/checkpoint-{step}")
    assert find_auditor(tmp_path / "run").name == "checkpoint-10"
    with pytest.raises(FileNotFoundError, match="no such folder"):
        find_auditor(tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="expected config.json of an auditor, or non_lora_trainables.bin"):
        find_auditor(tmp_path / "empty")


def test_a_missing_part_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"--llama_path: expected .*Llama-2-7b-chat-hf, got nothing there"):
        AuditorBundle.from_pretrained(CKPT, ModelArguments(pretrained_weights_dir=str(tmp_path), lora_r=4))
