"""Features on disk: named by content, bounded in size, whole or not there."""

import os
from multiprocessing import get_context

import pytest
import torch
from torch import nn

from dataset.features.folder import FeatureFolder, KeptFeatures
from dataset.features.names import content_name, encoder_name
from dataset.features.store import keep_each

ENCODER = 32 * "e"
KILOBYTE = torch.zeros(250)  # float32


def name(key: int) -> str:
    return f"{key:064d}"


def keep(folder: FeatureFolder, keys, seen: list | None = None) -> KeptFeatures:
    def encode(items):
        if seen is not None:
            seen.extend(int(item) for item in items)
        return [KILOBYTE + item for item in items]

    return keep_each(
        keys, torch.tensor, encode, title="encoding", folder=folder, place=lambda key: folder.place(ENCODER, name(key))
    )


def test_computed_once(tmp_path):
    folder, seen = FeatureFolder(tmp_path, 1), []
    keep(folder, [1, 2, 1], seen)
    kept = keep(folder, [2, 3], seen)
    assert seen == [1, 2, 3]
    assert kept[2].mean() == 2 and kept[3].mean() == 3 and set(kept) == {2, 3}


def test_the_longest_unused_go_first(tmp_path):
    folder = FeatureFolder(tmp_path, 4.6e-6)  # 4.6 kB: four files with their headers
    keep(folder, range(4))
    for age, key in enumerate([2, 0, 3, 1]):
        os.utime(folder.place(ENCODER, name(key)), (age, age))
    others = [tmp_path / "thesis.pdf", tmp_path / "a/b/model.safetensors", tmp_path / ENCODER / "00/.x.tmp"]
    for other in others:
        other.parent.mkdir(parents=True, exist_ok=True)
        other.write_bytes(b"of somebody else")
        os.utime(other, (0, 0))
    keep(folder, [0, 4])  # 0 is used again
    assert sorted(path.stem[-1] for path in (tmp_path / ENCODER).rglob("*.safetensors")) == ["0", "1", "3", "4"]
    assert all(other.exists() for other in others)


def test_what_a_run_uses_is_not_removed(tmp_path):
    folder = FeatureFolder(tmp_path, 4.6e-6)
    kept = keep(folder, range(4))
    with pytest.raises(ValueError, match="--feature_cache_gb: expected at least .* and those of the last three days"):
        keep(folder, [5])
    assert len([kept[key] for key in range(4)]) == 4


def test_processes_share_the_work(tmp_path, monkeypatch):
    folder, seen = FeatureFolder(tmp_path, 1), []
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    for rank in ("1", "0"):
        monkeypatch.setenv("LOCAL_RANK", rank)
        kept = keep(folder, range(5), seen)
    assert seen == [1, 3, 0, 2, 4]
    assert [int(kept[key].mean()) for key in range(5)] == list(range(5))


def _keep_in_a_process(root, rank: str) -> None:
    os.environ.update(LOCAL_RANK=rank, LOCAL_WORLD_SIZE="2")
    keep(FeatureFolder(root, 1), range(300))


def test_runs_side_by_side(tmp_path):
    """Two runs of two processes each, at once, on the same folder."""
    started = [get_context("spawn").Process(target=_keep_in_a_process, args=(tmp_path, rank)) for rank in "0101"]
    for process in started:
        process.start()
    for process in started:
        process.join(120)
    assert [process.exitcode for process in started] == [0, 0, 0, 0]
    seen = []
    kept = keep(FeatureFolder(tmp_path, 1), range(300), seen)
    assert not seen and [int(kept[key].mean()) for key in range(300)] == list(range(300))
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 300


def test_more_than_may_be_kept(tmp_path):
    with pytest.raises(ValueError, match="--feature_cache_gb: expected at least 1e-05 for this run"):
        keep(FeatureFolder(tmp_path, 2e-6), range(10))
    assert not list(tmp_path.rglob("*.*"))


def test_a_damaged_or_missing_file(tmp_path):
    folder = FeatureFolder(tmp_path, 1)
    kept = keep(folder, [1, 2])
    folder.place(ENCODER, name(1)).write_bytes(b"not tensors")
    folder.place(ENCODER, name(2)).unlink()
    with pytest.raises(ValueError, match="1.safetensors: expected features, got a damaged file"):
        kept[1]
    with pytest.raises(ValueError, match="2.safetensors: expected features, got nothing"):
        kept[2]


def test_names_follow_content(tmp_path):
    first, second, third = (tmp_path / name for name in "abc")
    for path, content in ((first, b"x"), (second, b"x"), (third, b"y")):
        path.write_bytes(content)
    assert content_name([first], "frame") == content_name([second], "frame") != content_name([third], "frame")
    assert content_name([first, third], "mask") != content_name([first, third], "masked_frame")
    assert encoder_name(nn.GELU()) != encoder_name(nn.GELU("tanh")) != encoder_name(nn.SiLU())
    layer = nn.Linear(2, 2)
    before = encoder_name(layer, "cpu")
    assert before != encoder_name(layer, "cuda") and before != encoder_name(layer.bfloat16(), "cpu")
    with torch.no_grad():
        layer.float().weight[0, 0] += 1
    assert before != encoder_name(layer, "cpu")


def refuse(*_, **__):
    raise PermissionError(1, "Operation not permitted")


def test_files_of_another_user_are_used_and_left_alone(tmp_path, monkeypatch):
    """Who does not own a file may neither change its times nor, in a folder with the sticky bit, remove it."""
    folder, seen = FeatureFolder(tmp_path, 4.6e-6), []
    keep(folder, range(4))
    for key in range(4):
        os.utime(folder.place(ENCODER, name(key)), (0, 0))
    monkeypatch.setattr("os.utime", refuse)
    assert keep(folder, [2], seen)[2].mean() == 2 and seen == []
    monkeypatch.setattr("pathlib.Path.unlink", refuse)
    with pytest.raises(ValueError, match="--feature_cache_gb: expected at least"):
        folder.make_room(1000)


def test_new_folders_get_the_permissions_of_the_root(tmp_path):
    tmp_path.chmod(0o1777)
    folder = FeatureFolder(tmp_path, 1)
    keep(folder, [1])
    place = folder.place(ENCODER, name(1))
    assert [path.stat().st_mode & 0o7777 for path in (place.parent, place.parent.parent)] == [0o1777, 0o1777]
