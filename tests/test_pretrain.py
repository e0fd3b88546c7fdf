"""The real pretraining programs on a few captions: only the projector learns, and fine-tuning can read it."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
import soundfile
import torch

from models.auditor.build import load_tokenizer
from models.weights.published import read_pretrained_projector, write_pretrained_projector
from scripts.pretrain.pretrain_projector import main as pretrain

TEMPLATE = "{{ bos_token }}{% for message in messages %}{{ message['content'] }}\n{% endfor %}"


@pytest.fixture(scope="module")
def weights(quick_weights_dir, tmp_path_factory):
    """The tiny parts with a chat template, linked."""
    folder = tmp_path_factory.mktemp("weights")
    for path in quick_weights_dir.iterdir():
        if path.name != "Llama-2-7b-chat-hf":
            (folder / path.name).symlink_to(path)
    llama = folder / "Llama-2-7b-chat-hf"
    llama.mkdir()
    for path in (quick_weights_dir / llama.name).iterdir():
        if path.name != "tokenizer_config.json":
            (llama / path.name).symlink_to(path)
    settings = json.loads((quick_weights_dir / llama.name / "tokenizer_config.json").read_text())
    (llama / "tokenizer_config.json").write_text(json.dumps(settings | {"chat_template": TEMPLATE}))
    load_tokenizer(llama, "direct_ntp")
    return folder


@pytest.fixture(scope="module")
def captions(tmp_path_factory):
    folder = tmp_path_factory.mktemp("captions")
    rng = np.random.default_rng(0)
    (folder / "data").mkdir()
    visual, audio = [], []
    for number in range(4):
        cv2.imwrite(str(folder / f"{number}.png"), rng.integers(0, 255, (28, 28, 3), np.uint8))
        talk = [{"value": "<image>\nwhat?"}, {"value": f"picture {number}"}]
        visual.append({"image": f"{number}.png", "conversations": talk})
        soundfile.write(folder / f"data/{number}.wav", rng.uniform(-0.1, 0.1, 16000 * (1 + number % 2)), 16000)
        audio.append({"audiocap_id": number, "start_time": 0, "caption": f"sound {number}"})
    (folder / "visual.json").write_text(json.dumps(visual))
    (folder / "audio.json").write_text(json.dumps(audio))
    return folder


def flags(modality, weights, captions, output, *more) -> list[str]:
    return [
        "configs/recipes/pretrain_projector.yaml", "--modality", modality, "--captions", f"{captions}/{modality}.json",
        "--media_dir", str(captions), "--pretrained_weights_dir", str(weights), "--output_dir", str(output),
        "--num_query_tokens", "4", "--per_device_train_batch_size", "2", "--num_train_epochs", "2",
        "--learning_rate", "1e-3", "--use_cpu", "true", "--report_to", "none", "--dataloader_num_workers", "0", *more,
    ]  # fmt: skip


@pytest.mark.parametrize(("modality", "projector"), [("visual", "vision_projector"), ("audio", "audio_projector")])
def test_an_interrupted_run_and_cached_features_give_the_same(weights, captions, tmp_path, modality, projector):
    run = tmp_path / "run"
    saving = flags(modality, weights, captions, run, "--save_steps", "2", "--logging_steps", "1")
    assert pretrain(saving) == 0
    file = run / f"{modality}_pretrain.bin"
    learned, losses = read_pretrained_projector(file, projector), logged(run)
    assert len(losses) == 4
    shutil.rmtree(run / "checkpoint-4")
    file.unlink()
    assert pretrain(saving) == 0
    again = read_pretrained_projector(file, projector)
    assert all(torch.equal(learned[key], again[key]) for key in learned)
    cached = tmp_path / "cached"
    more = ["--cache_features", "true", "--logging_steps", "1"]
    assert pretrain(flags(modality, weights, captions, cached, *more)) == 0
    assert logged(cached) == pytest.approx(losses, rel=1e-3)


def logged(run) -> list[float]:
    history = json.loads((run / "trainer_state.json").read_text())["log_history"]
    return [row["loss"] for row in history if "loss" in row]


def test_a_projector_as_safetensors(weights, tmp_path):
    state = read_pretrained_projector(weights / "visual_pretrain.bin", "vision_projector")
    write_pretrained_projector(state, tmp_path / "visual_pretrain.safetensors")
    again = read_pretrained_projector(tmp_path / "visual_pretrain.safetensors", "vision_projector")
    assert state.keys() == again.keys() and all(torch.equal(state[key], again[key]) for key in state)


def test_lists_beneath_a_folder_with_a_space(tmp_path):
    """A stand-in for Python says how many GPUs there are, and tells what the program would be given."""
    folder, python = tmp_path / "my lists", tmp_path / "python"
    python.write_text("""#!/bin/sh\nif [ "$1" = -c ]; then echo 0; else printf '%s\\n' "$@"; fi\n""")
    python.chmod(0o755)
    folder.mkdir()
    for name in ("a b.json", "c.json"):
        (folder / name).write_text("[]")
    for given, lists in (("a b.json", ["a b.json"]), ("c.json c.json", ["c.json", "c.json"])):
        script = [shutil.which("bash"), str(Path.cwd() / "scripts/pretrain/pretrain_visual.sh")]
        environment = {**os.environ, "PYTHON": str(python), "CAPTIONS": given, "MEDIA_DIR": "."}
        done = subprocess.run(script, cwd=folder, env=environment, capture_output=True, text=True, check=True)
        words = done.stdout.splitlines()
        told = words[words.index("--captions") + 1 : words.index("--media_dir")]
        assert told == [str(folder / name) for name in lists]


def test_flags_of_fine_tuning_are_refused(weights, captions, tmp_path, capsys):
    assert pretrain(flags("visual", weights, captions, tmp_path, "--without", "audio")) == 2
    assert "--without: expected in fine-tuning only" in capsys.readouterr().err


def test_wrong_captions_end_with_a_sentence(weights, captions, tmp_path, capsys):
    assert pretrain(flags("visual", weights, captions, tmp_path, "--captions", str(tmp_path / "nowhere.json"))) == 2
    assert "nowhere.json: no such file" in capsys.readouterr().err
