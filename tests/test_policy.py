"""`--objective policy`: rewards, sampled audits, the policy's gradient, and the training program with it."""

import json
import shutil
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from dataset.batches.audit_dataset import build_dataset
from dataset.batches.collator import AuditCollator
from dataset.benchmark.annotations import read_train
from models.auditor.trainable import mark_trainable
from models.decoding.drafts import Drafts
from models.weights.bundle import AuditorBundle
from scripts.finetune.finetune_hyperlora import main as finetune
from scripts.finetune.objective import check_objective
from scripts.training.policy_trainer import PolicyTrainer, policy_loss
from tests.conftest import BENCHMARK
from tests.test_training import flags, losses, weights
from utils.audit import Audit
from utils.scores.reward import reward
from utils.tokens import IGNORE_INDEX

CUTOUT = Audit("cutout", 0.86, "minor revision")
POLICY = ("--objective", "policy", "--lora_dropout", "0")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (CUTOUT, 3),
        (Audit("cutout", 0.76, "minor revision"), 2 - 4 * 0.1**2),  # contradicts itself
        (Audit("cutout", 0.76, "major revision"), 2 - 4 * 0.1**2),
        (Audit("perfect", 1.0, "accept"), 1 - 4 * 0.14**2),
        (Audit("full_neg", 0.0, "reject"), 1 - 4 * 0.86**2),
        (Audit("nonsense", 0.86, "minor revision"), 1),
        (Audit("cutout", 0.86, "accept"), 1),
        (Audit("cutout", None, "minor revision"), -4),
        (Audit(None, None, None), -4),
    ],
)
def test_rewards(said, expected):
    assert reward(said, CUTOUT) == pytest.approx(expected)


def test_an_unknown_iou_counts_nothing():
    true = Audit("merge", None, "reject")
    assert reward(Audit("merge", 0.1, "reject"), true) == reward(Audit("merge", 0.7, "reject"), true) == 3
    assert reward(Audit(None, None, "reject"), true) == -4


@pytest.fixture(scope="module")
def trained(quick_args):
    torch.manual_seed(0)
    bundle = AuditorBundle.from_parts(quick_args)
    mark_trainable(bundle.auditor.eval())
    dataset = build_dataset(read_train(BENCHMARK).samples, bundle.tokenizer, bundle.pixels, bundle.auditor.config)
    return bundle, [dataset[pair] for pair in ((0, 0), (1, 2), (0, 3))]


@pytest.mark.parametrize("shared", [False, True])
def test_the_loss_is_that_of_each_audit_times_its_advantage(trained, shared):
    bundle, items = trained
    auditor = bundle.auditor
    batch = AuditCollator(bundle.tokenizer.pad_token_id, share_prompts=shared)(items)
    advantages = torch.tensor([1.0, -2.0, 0.5])
    loss = policy_loss(auditor(**batch).logits, batch, advantages)
    alone = [auditor(**AuditCollator(bundle.tokenizer.pad_token_id)([item])).loss for item in items]  # means
    lengths = torch.tensor([int((item.labels != IGNORE_INDEX).sum()) for item in items])
    expected = (advantages * lengths * torch.stack(alone)).sum() / lengths.sum()
    torch.testing.assert_close(loss, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shared", [False, True])
def test_right_audits_are_learned_beside_sampled_ones(trained, shared):
    bundle, items = trained
    auditor, collate = bundle.auditor, AuditCollator(bundle.tokenizer.pad_token_id, share_prompts=shared)
    heavy = [replace(item, weights=1 + torch.arange(len(item.weights)) % 3.0) for item in items[1:]]
    batch, right = collate([items[0], *heavy]), collate(heavy)
    advantages = torch.tensor([1.5])
    loss = policy_loss(auditor(**batch).logits, batch, advantages, ntp_weight=0.7)
    alone = collate(items[:1])
    expected = policy_loss(auditor(**alone).logits, alone, advantages) + 0.7 * auditor(**right).loss
    torch.testing.assert_close(loss, expected, rtol=1e-4, atol=1e-5)


def sampler(bundle, answers_per_mask: int, seed: int = 1) -> PolicyTrainer:
    """Just enough of a trainer to sample with it."""
    trainer = PolicyTrainer.__new__(PolicyTrainer)
    trainer.bundle, trainer.model, trainer.drafts = bundle, bundle.auditor, Drafts()
    trainer.rewards, trainer.drawn, trainer.state = [], (-1, 0), SimpleNamespace(global_step=0)
    trainer.data_collator = AuditCollator(bundle.tokenizer.pad_token_id)
    device = torch.device("cpu")
    trainer.accelerator = SimpleNamespace(autocast=nullcontext)
    trainer.args = SimpleNamespace(answers_per_mask=answers_per_mask, device=device, seed=seed, process_index=0)
    return trainer


def test_tokens_are_drawn_as_likely_as_the_logits_say(trained):
    logits = torch.tensor([5.0, 6.0, 7.0, 8.0, 9.0])
    draw, count = sampler(trained[0], 2)._sampling(), 4_000
    never = sorted(token for own in trained[0].auditor.modalities.values() for token in own.token_ids)
    rows = torch.full((count, max(never) + 1), -torch.inf)
    rows[:, :5], rows[:, never] = logits, 99.0  # media's placeholders are never drawn
    drawn = draw(rows, [(n // 50 + 1, n % 50) for n in range(count)]).argmax(-1)
    found, chances = torch.bincount(drawn, minlength=5) / count, logits.softmax(-1)
    assert len(found) == 5
    assert ((found - chances).abs() < 4 * (chances * (1 - chances) / count).sqrt()).all()


def test_draws_depend_on_seed_and_step(trained):
    bundle, items = trained
    one, again, other = sampler(bundle, 2), sampler(bundle, 2), sampler(bundle, 2, seed=2)
    ids = lambda trainer: [item.input_ids.tolist() for item in trainer.sample(items)[0]]  # noqa: E731
    first = ids(one)
    assert first == ids(again) != ids(other)
    assert ids(one) != first  # the next mini-batch of the same step
    elsewhere = sampler(bundle, 2)
    elsewhere.args.process_index = 1
    assert ids(elsewhere) != first
    one.state.global_step = again.state.global_step = 1
    assert ids(one) == ids(again)


def test_advantages_compare_the_audits_of_a_mask(trained, monkeypatch):
    bundle, items = trained
    given = iter([3.0, 1.0, -4.0, -4.0, 2.0, 3.0])
    monkeypatch.setattr("scripts.training.policy_trainer.reward", lambda *_: next(given))
    trainer = sampler(bundle, 2)
    answered, advantages = trainer.sample(items)
    assert advantages.tolist() == [1, -1, 0, 0, -0.5, 0.5] and len(answered) == 6
    assert trainer.rewards == [pytest.approx(1 / 6)]


@pytest.fixture(scope="module")
def started(quick_weights_dir, tmp_path_factory):
    """An auditor of two steps of ntp."""
    output = tmp_path_factory.mktemp("policy") / "ntp"
    assert finetune(flags(quick_weights_dir, output, "--num_train_epochs", "2", "--lora_dropout", "0")) == 0
    return output


def test_training_starts_from_an_auditor_and_moves_it(quick_weights_dir, started, tmp_path):
    more = (*POLICY, "--start_from", str(started), "--max_steps", "2", "--logging_steps", "1")
    assert finetune(flags(quick_weights_dir, tmp_path / "still", *more, "--learning_rate", "0")) == 0
    before, still = weights(started), weights(tmp_path / "still")
    assert all(torch.equal(before[name], still[name]) for name in before)
    assert finetune(flags(quick_weights_dir, tmp_path / "moved", *more)) == 0
    moved = weights(tmp_path / "moved")
    assert any(not torch.equal(before[name], moved[name]) for name in before)
    assert len(losses(tmp_path / "moved")) == 2


def test_held_out_videos_are_watched_by_ntp(quick_weights_dir, started, tmp_path):
    more = ("--start_from", str(started), "--max_steps", "1", "--eval_fraction", "0.5", "--learning_rate", "0")
    logs = {}
    for name, objective in (("ntp", ("--lora_dropout", "0")), ("policy", POLICY)):
        assert finetune(flags(quick_weights_dir, tmp_path / name, *more, *objective)) == 0
        history = json.loads((tmp_path / name / "trainer_state.json").read_text())["log_history"]
        logs[name] = [row["eval_loss"] for row in history if "eval_loss" in row]
    assert len(logs["ntp"]) == 1 and logs["policy"] == pytest.approx(logs["ntp"], rel=1e-5)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (("--objective", "best"), "argument --objective: invalid choice: 'best' (choose from 'ntp', 'policy')"),
        (("--answers_per_mask", "1"), "--answers_per_mask: expected at least 2, to compare them, got 1"),
        (("--ntp_weight", "-1"), "--ntp_weight: expected 0 or more, got -1"),
        ((*POLICY, "--iou_estimation", "regress_st"), "--objective policy: expected --iou_estimation direct_ntp"),
        (("--start_from", "absent"), "absent: no such folder"),
        ((*POLICY, "--measure_checkpointing", "true"), "--objective policy: expected --measure_checkpointing false"),
    ],
)
def test_wrong_settings_end_with_one_sentence(quick_weights_dir, tmp_path, capsys, more, sentence):
    try:
        code = finetune(flags(quick_weights_dir, tmp_path / "out", *more))
    except SystemExit as stopped:
        code = stopped.code
    assert code == 2
    assert sentence in capsys.readouterr().err.strip().splitlines()[-1]


def test_zero_3_is_refused():
    plugin = SimpleNamespace(zero_stage=3)
    args = SimpleNamespace(objective="policy", deepspeed_plugin=plugin, measure_checkpointing=False, start_from="a")
    with pytest.raises(ValueError, match="--objective policy: expected DeepSpeed's ZeRO stage 0 to 2, got 3"):
        check_objective(SimpleNamespace(iou_estimation="direct_ntp", lora_dropout=0), args)


def complaint(capsys) -> str:
    return capsys.readouterr().err.strip().splitlines()[-1]


def test_an_auditor_of_other_settings_is_refused(quick_weights_dir, started, tmp_path, capsys):
    more = ("--start_from", str(started), "--lora_r", "2")
    assert finetune(flags(quick_weights_dir, tmp_path / "out", *more)) == 2
    assert f"--start_from {started}: lora: expected" in complaint(capsys)


def test_the_result_does_not_replace_its_start(quick_weights_dir, started, tmp_path, capsys):
    assert finetune(flags(quick_weights_dir, started, *POLICY)) == 2
    assert "objective: expected ntp, as the checkpoint was trained with, got policy" in complaint(capsys)
    checkpoint = shutil.copytree(started / "checkpoint-1", tmp_path / "out" / "start")
    assert finetune(flags(quick_weights_dir, tmp_path / "out", *POLICY, "--start_from", str(checkpoint))) == 2
    assert f"--start_from {checkpoint}: expected another folder than OUTPUT_DIR" in complaint(capsys)


def test_a_released_pair_has_to_be_converted_first(quick_weights_dir, tmp_path, capsys):
    pair = tmp_path / "released"
    (pair / "checkpoint-1").mkdir(parents=True)
    for name in ("non_lora_trainables.bin", "checkpoint-1/finetune_weights.bin"):
        (pair / name).write_bytes(b"")
    assert finetune(flags(quick_weights_dir, tmp_path / "out", "--start_from", str(pair))) == 2
    assert f"--start_from {pair}: expected our folder, got a released pair" in complaint(capsys)


def test_half_precision_and_other_dropout(quick_weights_dir, started, tmp_path):
    more = ("--start_from", str(started), "--objective", "policy", "--max_steps", "1", "--bf16", "true")
    assert finetune(flags(quick_weights_dir, tmp_path / "out", *more, "--lora_dropout", "0.1")) == 0
    card = json.loads((tmp_path / "out" / "card.json").read_text())
    assert card["steps"].endswith(f"objective policy, beginning with {started.name}")
