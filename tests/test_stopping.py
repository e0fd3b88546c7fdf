"""A training that is stopped: by signals at any step, by numbers that are not finite, by another run in its folder."""

import os
import re
import signal
import subprocess
import sys

import pytest
import torch
from accelerate import skip_first_batches
from transformers import TrainerCallback, TrainingArguments

from scripts.finetune.finetune_hyperlora import main as finetune
from scripts.ranks import LOCK_NAME
from scripts.training.step_guard import StepGuard
from scripts.training.trainer import PartsTrainer
from tests.test_training import flags, losses, weights
from utils.locks import only_one

EVERY_VIDEO = ("--gradient_accumulation_steps", "1", "--save_strategy", "no", "--num_train_epochs", "3")  # 6 steps


@pytest.fixture(scope="module")
def whole(quick_weights_dir, tmp_path_factory):
    """Three epochs of two steps each, without interruption."""
    output = tmp_path_factory.mktemp("whole") / "MQ-Auditor"
    assert finetune(flags(quick_weights_dir, output, *EVERY_VIDEO)) == 0
    return output


class Sender(TrainerCallback):
    """Sends a signal to this process while a step runs."""

    def __init__(self, signum, step):
        self.signum, self.step = signum, step

    def on_step_begin(self, args, state, control, **kwargs):
        if state.global_step + 1 == self.step:
            os.kill(os.getpid(), self.signum)


@pytest.fixture
def sent(monkeypatch):
    """Lets the next training get a signal at a step."""

    def send(signum, step):
        begin = StepGuard.on_step_begin
        sender = Sender(signum, step)
        monkeypatch.setattr(
            StepGuard, "on_step_begin", lambda own, *more, **named: sender.on_step_begin(*more, **named)
        )
        return lambda: monkeypatch.setattr(StepGuard, "on_step_begin", begin)

    return send


@pytest.mark.parametrize(
    ("signum", "step", "workers", "name", "code"),
    [(signal.SIGTERM, 3, 0, "SIGTERM", 143), (signal.SIGINT, 2, 2, "the keyboard", 130)],
)
def test_a_signal_saves_and_the_next_start_goes_on_to_the_same_bits(
    whole, quick_weights_dir, tmp_path, capsys, sent, signum, step, workers, name, code
):
    """In the middle of the second epoch, and at the end of the first."""
    command = flags(quick_weights_dir, tmp_path, *EVERY_VIDEO, "--dataloader_num_workers", str(workers))
    not_again = sent(signum, step)
    assert finetune(command) == code
    sentence = f"finetune: stopped by {name} after step {step}, which is saved; start the run again to go on"
    assert capsys.readouterr().err.splitlines()[-1] == sentence
    assert [path.name for path in tmp_path.glob("checkpoint-*")] == [f"checkpoint-{step}"]
    not_again()
    assert finetune(command) == 0
    assert losses(tmp_path) == losses(whole)
    assert all(torch.equal(tensor, weights(tmp_path)[key]) for key, tensor in weights(whole).items())


def test_a_signal_before_the_training_ends_at_once(quick_weights_dir, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("scripts.finetune.training.start_model", lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    assert finetune(flags(quick_weights_dir, tmp_path)) == 143
    assert capsys.readouterr().err.splitlines()[-1] == "finetune: stopped by SIGTERM"


@pytest.mark.parametrize("rate", ["1e8", "1e30"])
def test_a_run_that_diverges_ends_with_a_sentence_and_saves_nothing_of_it(quick_weights_dir, tmp_path, capsys, rate):
    more = ("--warmup_steps", "0", "--save_strategy", "steps", "--save_steps", "1")
    assert finetune(flags(quick_weights_dir, tmp_path, *EVERY_VIDEO, "--learning_rate", rate, *more)) == 2
    complaint = capsys.readouterr().err.strip().splitlines()[-1]
    assert re.match(r"finetune: step \d: expected a finite (loss, got|gradient, got a norm of) (nan|inf)", complaint)
    assert "the step is not done and not saved" in complaint
    for checkpoint in tmp_path.glob("checkpoint-*"):
        assert all(tensor.isfinite().all() for tensor in weights(checkpoint).values())
    assert not (tmp_path / "adapter_model.safetensors").exists()


def test_samples_and_weights_that_are_not_finite_are_named(quick_weights_dir, tmp_path, capsys, monkeypatch):
    """One NaN in a pretrained projector: the first step names its two videos' masks, and the weight."""
    from models.weights.bundle import AuditorBundle

    load = AuditorBundle.load_projectors

    def spoilt(bundle, *more):
        load(bundle, *more)
        bundle.auditor.vision_projector.norm.weight.data[3] = float("nan")

    monkeypatch.setattr(AuditorBundle, "load_projectors", spoilt)
    assert finetune(flags(quick_weights_dir, tmp_path)) == 2
    complaint = capsys.readouterr().err.strip().splitlines()[-1]
    assert "step 1: expected a finite loss, got nan, for " in complaint
    assert complaint.count(".png)") == 2 and "vision_projector.norm.weight" in complaint
    assert not list(tmp_path.glob("checkpoint-*"))


def test_weights_that_are_not_finite_are_not_saved(whole, quick_weights_dir, tmp_path, capsys, monkeypatch):
    """A last update may spoil what no later step looks at."""
    monkeypatch.setattr("scripts.training.trainer.is_finished", lambda *_: True)
    monkeypatch.setattr(
        "scripts.training.bundle_trainer.AuditTrainer.load_parts",
        lambda own, _: own.model.vision_projector.norm.weight.data.fill_(float("inf")),
    )
    monkeypatch.setattr("scripts.finetune.training.checkpoint_to_resume", lambda _: str(whole))
    assert finetune(flags(quick_weights_dir, tmp_path)) == 2
    sentence = "finetune: expected finite weights, got others in vision_projector.norm.weight"
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "projectors.safetensors").exists()


def test_a_second_run_in_the_folder_refuses(quick_weights_dir, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("scripts.ranks.PATIENCE", 0)
    with only_one(tmp_path / LOCK_NAME, "training"):
        assert finetune(flags(quick_weights_dir, tmp_path)) == 2
    assert f"{LOCK_NAME}: expected no other training at the same time" in capsys.readouterr().err


class Handlers(torch.utils.data.Dataset):
    """How its process takes SIGTERM and Ctrl-C."""

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return [int(signal.getsignal(number)) for number in (signal.SIGTERM, signal.SIGINT)]


def test_workers_leave_signals_to_the_main_process(tmp_path):
    """Also behind the first batches, which a resumed run skips."""
    args = TrainingArguments(str(tmp_path), use_cpu=True, dataloader_num_workers=1, report_to="none")
    trainer = PartsTrainer(
        model=torch.nn.Linear(1, 1), args=args, train_dataset=Handlers(), data_collator=lambda rows: rows
    )
    loader = trainer.get_train_dataloader()
    for one in (loader, skip_first_batches(loader, 0)):
        assert list(one) == [[[signal.SIG_IGN, signal.SIG_IGN]]]


STUCK_PROGRAM = """
import ctypes, os, signal, sys, threading, time
from scripts import stopping
stopping.STUCK = float(sys.argv[1])
def send():
    for _ in range(3):
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGTERM)
with stopping.NotedSignals(patient=True).noting():
    threading.Thread(target=send, daemon=True).start()
    mutex, libc = ctypes.create_string_buffer(64), ctypes.CDLL(None)
    if sys.argv[2] == "stuck":
        libc.pthread_mutex_lock(mutex)
        libc.pthread_mutex_lock(mutex)
    for _ in range(20):
        time.sleep(0.1)
print("end")
"""


@pytest.mark.parametrize(("what", "code", "said"), [("stuck", 143, ""), ("free", 0, "end\n")])
def test_a_signal_ends_a_process_that_hangs_in_a_library(what, code, said):
    """As one does that waits for another process which is gone."""
    command = [sys.executable, "-c", STUCK_PROGRAM, "1", what]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (code, said)
    assert ("stopped by SIGTERM, in a call that did not return for 1 s" in done.stderr) == bool(code)
