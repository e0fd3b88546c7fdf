"""Files that are never half written: what an error says and leaves."""

import errno
import os

import pytest

from utils.whole_files import whole_file, write_text


def test_a_full_disk_is_told_with_the_name_of_the_file(tmp_path):
    write_text(tmp_path / "x.json", "old")
    with pytest.raises(OSError, match=r"No space left on device: '.*x\.json'"), whole_file(tmp_path / "x.json"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("x.json", "old")]
