"""Features on disk: named by content, bounded in size, whole or not there."""

import os

import pytest
import torch
from torch import nn

from dataset.feature_folder import FeatureFolder, KeptFeatures, content_name, encoder_name
from dataset.feature_store import keep_each

KILOBYTE = torch.zeros(250)  # float32


def keep(folder: FeatureFolder, keys, seen: list | None = None) -> KeptFeatures:
    def encode(items):
        if seen is not None:
            seen.extend(int(item) for item in items)
        return [KILOBYTE + item for item in items]

    place = lambda key: folder.place("encoder", f"{key:04d}")  # noqa: E731
    return keep_each(keys, torch.tensor, encode, title="encoding", folder=folder, place=place)


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
        os.utime(folder.place("encoder", f"{key:04d}"), (age, age))
    keep(folder, [0, 4])  # 0 is used again
    assert sorted(path.stem for path in tmp_path.rglob("*.safetensors")) == ["0000", "0001", "0003", "0004"]


def test_more_than_may_be_kept(tmp_path):
    with pytest.raises(ValueError, match="--feature_cache_gb: expected at least 1e-05 for this run, got 2e-06"):
        keep(FeatureFolder(tmp_path, 2e-6), range(10))
    assert not list(tmp_path.rglob("*.*"))


def test_a_damaged_or_missing_file(tmp_path):
    folder = FeatureFolder(tmp_path, 1)
    kept = keep(folder, [1, 2])
    folder.place("encoder", "0001").write_bytes(b"not tensors")
    folder.place("encoder", "0002").unlink()
    with pytest.raises(ValueError, match="0001.safetensors: expected features, got a damaged file"):
        kept[1]
    with pytest.raises(ValueError, match="0002.safetensors: expected features, got nothing"):
        kept[2]


def test_names_follow_content(tmp_path):
    first, second, third = (tmp_path / name for name in "abc")
    for path, content in ((first, b"x"), (second, b"x"), (third, b"y")):
        path.write_bytes(content)
    assert content_name([first], "frame") == content_name([second], "frame") != content_name([third], "frame")
    assert content_name([first, third], "mask") != content_name([first, third], "masked_frame")
    layer = nn.Linear(2, 2)
    before = encoder_name(layer, "cpu")
    assert before != encoder_name(layer, "cuda") and before != encoder_name(layer.bfloat16(), "cpu")
    with torch.no_grad():
        layer.float().weight[0, 0] += 1
    assert before != encoder_name(layer, "cpu")
