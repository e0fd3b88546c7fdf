"""One program at a time in a folder; the lock is free again as soon as its holder has ended."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from utils.locks import only_one

ROOT = Path(__file__).parent.parent
HOLD = """
import os, sys, time
from utils.locks import only_one
with only_one(sys.argv[1], "test"):
    if not os.fork():
        time.sleep(2)  # a child that outlives its parent does not hold the lock
        os._exit(0)
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path / "x.lock"], cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.wait()


def test_a_second_program_is_refused_by_name(holder, tmp_path):
    sentence = rf"x.lock: expected no other audit at the same time, got process {holder.pid} on"
    with pytest.raises(ValueError, match=sentence), only_one(tmp_path / "x.lock", "audit"):
        pytest.fail("both run")


def test_a_killed_holder_leaves_the_lock_free(holder, tmp_path):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    start = time.monotonic()
    with only_one(tmp_path / "x.lock", "audit", wait=10):
        assert time.monotonic() - start < 1


def test_the_same_process_is_refused_and_may_come_again(tmp_path):
    for _ in range(2):
        with only_one(tmp_path / "x.lock", "audit"):
            second = only_one(tmp_path / "x.lock", "audit")
            with pytest.raises(ValueError, match="got one in this process"), second:
                pytest.fail("both run")


def test_a_planted_link_is_not_followed(tmp_path):
    target = tmp_path / "target"
    target.write_text("kept")
    (tmp_path / "x.lock").symlink_to(target)
    with pytest.raises(OSError, match=r"x\.lock"), only_one(tmp_path / "x.lock", "audit"):
        pytest.fail("followed")
    assert target.read_text() == "kept"
