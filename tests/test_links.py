"""Linked files that lead out of a folder of data are named; linked folders are followed."""

import pytest

from dataset.benchmark.annotations import read_test
from dataset.benchmark.links import leaves, link_problems
from dataset.benchmark.validation import BadData, validated
from tests.right_benchmark import FOLDERS, TEST, write_right_benchmark


@pytest.fixture
def root(tmp_path):
    write_right_benchmark(tmp_path / "bench")
    return tmp_path / "bench"


def move_out(root, where: str) -> None:
    (root / where).rename(root.parent / "outside")
    (root / where).symlink_to(root.parent / "outside")


def test_a_linked_file_that_leaves_is_refused_unless_allowed(root):
    mask = f"{FOLDERS[TEST]}/gt.png"
    move_out(root, mask)
    with pytest.raises(BadData, match=r"gt.png: expected a file inside .*bench, got a link to .*outside"):
        validated(read_test(root, "test_s", "image"))
    assert len(validated(read_test(root, "test_s", "image"), "skip").requests()) == 12
    assert len(validated(read_test(root, "test_s", "image"), allow_links=True).requests()) == 13


def test_a_linked_table_that_leaves_is_refused(root):
    move_out(root, "train_test_meta_files/metadata.csv")
    with pytest.raises(ValueError, match="metadata.csv: expected a file inside"):
        validated(read_test(root, "test_s", "image"), "skip")


def test_a_linked_folder_is_followed(root):
    move_out(root, "media")
    assert not link_problems(read_test(root, "test_s", "image"))


def test_where_links_lead(tmp_path):
    root, disk = tmp_path / "root", tmp_path / "disk"
    for folder in (root / "a", disk):
        folder.mkdir(parents=True)
    (disk / "x").touch()
    (disk / "within").symlink_to("x")
    (disk / "out").symlink_to("/etc/hostname")
    (root / "media").symlink_to(disk)
    (root / "a/to_media").symlink_to("../media/x")
    assert leaves(root, root / "media/within") is None and leaves(root, root / "media/x") is None
    assert leaves(root, root / "media/out") is not None
    assert leaves(root, root / "a/to_media") == disk / "x"  # a file elsewhere, however it is reached
    (root / "linked_root").symlink_to(root)
    assert leaves(root / "linked_root", root / "linked_root/a/nothing") is None
