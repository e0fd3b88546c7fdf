"""Files that are never half written: what an error says and leaves."""

import errno
import os

import pytest
import torch
from safetensors.torch import save_file

from utils.whole_files import own_folder, whole_file, write_text


def test_a_full_disk_is_told_with_the_name_of_the_file(tmp_path):
    write_text(tmp_path / "x.json", "old")
    with pytest.raises(OSError, match=r"No space left on device: '.*x\.json'"), whole_file(tmp_path / "x.json"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("x.json", "old")]


def test_a_link_is_replaced_and_not_written_through(tmp_path):
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "x.txt").symlink_to(tmp_path / "precious")
    write_text(tmp_path / "x.txt", "new")
    assert (tmp_path / "precious").read_text() == "mine"
    assert not (tmp_path / "x.txt").is_symlink() and (tmp_path / "x.txt").read_text() == "new"


def test_a_link_is_no_folder_of_ones_own(tmp_path):
    (tmp_path / "frames").symlink_to(tmp_path)
    with pytest.raises(ValueError, match="frames: expected a folder, got a link"):
        own_folder(tmp_path / "frames")
    assert own_folder(tmp_path / "a/b").is_dir() and own_folder(tmp_path / "a/b").is_dir()


def test_files_get_the_permissions_of_the_umask(tmp_path):
    """safetensors makes files that only their owner may read; others who share the folder need them too."""
    before = os.umask(0o002)
    try:
        with whole_file(tmp_path / "x.safetensors") as temporary:
            save_file({"a": torch.zeros(1)}, temporary)
    finally:
        os.umask(before)
    assert (tmp_path / "x.safetensors").stat().st_mode & 0o777 == 0o664
