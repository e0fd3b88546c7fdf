"""A lock left by a killed build of DeepSpeed's C++ parts does not stop a run for ever."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time

import pytest

from scripts.training import build_locks
from scripts.training.build_locks import LEFT_SECONDS, STALE_SECONDS, wait_for_builds


@pytest.fixture
def lock(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_EXTENSIONS_DIR", str(tmp_path))
    path = tmp_path / "py311_cpu" / "deepspeed_shm_comm" / "lock"
    path.parent.mkdir(parents=True)
    path.touch()
    return path


def test_an_old_lock_is_removed_and_named(lock, caplog):
    long_ago = time.time() - STALE_SECONDS - 60
    os.utime(lock, (long_ago, long_ago))
    with caplog.at_level(logging.WARNING):
        wait_for_builds()
    assert not lock.exists() and f"{lock}: removed" in caplog.text


@pytest.mark.parametrize("is_open", [True, False])
def test_a_lock_that_nobody_has_open_is_removed_sooner(lock, is_open, monkeypatch):
    disks = {part.fstype for part in build_locks.psutil.disk_partitions(all=True)}
    monkeypatch.setattr(build_locks, "OWN_DISKS", disks)  # the test's folder may be on a disk of any kind
    a_while_ago = time.time() - LEFT_SECONDS - 60
    os.utime(lock, (a_while_ago, a_while_ago))
    timer = threading.Timer(0.3, lock.unlink, kwargs={"missing_ok": True})
    with lock.open() if is_open else contextlib.nullcontext():
        timer.start()
        wait_for_builds(pause=0.05)
        assert timer.is_alive() != is_open
    timer.cancel()


def test_a_build_that_goes_on_is_waited_for(lock, caplog):
    timer = threading.Timer(0.3, lock.unlink)
    timer.start()
    with caplog.at_level(logging.WARNING):
        wait_for_builds(pause=0.05)
    timer.join()
    assert not lock.exists()
    assert f"{lock}: waiting" in caplog.text and "removed" not in caplog.text


def test_an_old_lock_beside_fresh_files_belongs_to_a_build(lock):
    long_ago = time.time() - STALE_SECONDS - 60
    os.utime(lock, (long_ago, long_ago))
    (lock.parent / "shm.o").touch()
    timer = threading.Timer(0.3, lock.unlink)
    timer.start()
    wait_for_builds(pause=0.05)
    assert not timer.is_alive(), "expected to wait for the build, not to remove its lock"


def test_no_folder_of_extensions_is_no_trouble(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_EXTENSIONS_DIR", str(tmp_path / "none"))
    wait_for_builds()
