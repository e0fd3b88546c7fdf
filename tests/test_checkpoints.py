"""Training checkpoints as files: what is whole is taken, what is torn is passed over, and nothing grows without end."""

import shutil
from types import SimpleNamespace

import pytest

from scripts.training.checkpoints import (
    SCRATCH,
    checkpoint_to_resume,
    find_resumable,
    keep_newest,
    saved_settings,
    store,
)
from tests.file_damage import DAMAGES
from utils.manifest import MANIFEST

FILES = ("adapter_model.safetensors", "optimizer.pt", "scheduler.pt", "trainer_state.json", "global_step3/rank_0.pt")


def save(run, step: int, **settings):
    """A checkpoint of text files, as the Trainer stores its own."""
    staged = run / SCRATCH / f"checkpoint-{step}"
    for name in FILES:
        (staged / name).parent.mkdir(parents=True, exist_ok=True)
        (staged / name).write_text(f"{name} at step {step}")
    return store(staged, step, settings)


def names(run) -> set[str]:
    return {path.name for path in run.iterdir()}


def test_a_stored_checkpoint_is_found_with_its_settings(tmp_path):
    save(tmp_path, 2)
    save(tmp_path, 10, learning_rate=0.1)
    assert names(tmp_path) == {"checkpoint-2", "checkpoint-10"}
    assert find_resumable(tmp_path) == str(tmp_path / "checkpoint-10")
    assert saved_settings(tmp_path / "checkpoint-10") == {"learning_rate": 0.1}
    assert find_resumable(tmp_path / "nowhere") is None


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", [*FILES, MANIFEST])
def test_a_damaged_checkpoint_is_passed_over(tmp_path, caplog, name, damage):
    save(tmp_path, 2)
    DAMAGES[damage](save(tmp_path, 3) / name)
    assert find_resumable(tmp_path) == str(tmp_path / "checkpoint-2")
    assert names(tmp_path) == {"checkpoint-2", "torn-checkpoint-3"}
    assert f"passed over {tmp_path}/checkpoint-3, now torn-checkpoint-3: " in caplog.text and name in caplog.text


def test_a_file_too_many_is_no_damage(tmp_path):
    (save(tmp_path, 3) / "notes.txt").write_text("the user's")
    assert find_resumable(tmp_path) == str(tmp_path / "checkpoint-3")


def test_all_damaged_starts_anew(tmp_path):
    for step in (1, 2):
        (save(tmp_path, step) / "optimizer.pt").write_text("?")
    assert find_resumable(tmp_path) is None
    assert names(tmp_path) == {"torn-checkpoint-1", "torn-checkpoint-2"}


def test_torn_ones_go_when_the_run_has_passed_them(tmp_path):
    for step in (3, 5):
        (tmp_path / f"torn-checkpoint-{step}").mkdir()
    (tmp_path / "torn-checkpoint-3-2").mkdir()  # as an earlier version named them
    keep_newest(save(tmp_path, 2), None, None)
    assert len(names(tmp_path)) == 4
    keep_newest(save(tmp_path, 3), None, None)
    assert names(tmp_path) == {"checkpoint-2", "checkpoint-3", "torn-checkpoint-5"}


def test_the_limit_removes_torn_ones_first_and_keeps_the_best(tmp_path):
    for step in (1, 2, 3, 4):
        save(tmp_path, step)
    (tmp_path / "checkpoint-3/optimizer.pt").unlink()
    keep_newest(tmp_path / "checkpoint-4", 3, None)
    assert names(tmp_path) == {"checkpoint-1", "checkpoint-2", "checkpoint-4"}
    keep_newest(tmp_path / "checkpoint-4", 2, str(tmp_path / "checkpoint-1"))
    assert names(tmp_path) == {"checkpoint-1", "checkpoint-4"}
    keep_newest(tmp_path / "checkpoint-4", 1, None)
    assert names(tmp_path) == {"checkpoint-4"}


def test_a_checkpoint_that_is_made_again_replaces_the_old_one(tmp_path):
    save(tmp_path, 3, made="old")
    save(tmp_path, 3, made="new")
    assert names(tmp_path) == {"checkpoint-3"} and saved_settings(tmp_path / "checkpoint-3") == {"made": "new"}


def arguments(run, **more) -> SimpleNamespace:
    return SimpleNamespace(**{"output_dir": str(run), "resume_from_checkpoint": None} | more)


def test_the_start_removes_what_a_kill_left(tmp_path):
    save(tmp_path, 3)
    shutil.copytree(tmp_path / "checkpoint-3", tmp_path / SCRATCH / "checkpoint-4")
    assert checkpoint_to_resume(arguments(tmp_path)) == str(tmp_path / "checkpoint-3")
    assert names(tmp_path) == {"checkpoint-3"}


def test_a_named_checkpoint_must_be_whole(tmp_path):
    good, bad = save(tmp_path, 3), save(tmp_path, 4)
    assert checkpoint_to_resume(arguments(tmp_path, resume_from_checkpoint=str(good))) == str(good)
    (bad / MANIFEST).unlink()
    with pytest.raises(ValueError, match=r"checkpoint-4: expected manifest.json, got none: it was written by an"):
        checkpoint_to_resume(arguments(tmp_path, resume_from_checkpoint=str(bad)))
    with pytest.raises(FileNotFoundError, match="no such folder"):
        checkpoint_to_resume(arguments(tmp_path, resume_from_checkpoint=str(tmp_path / "checkpoint-9")))
