"""The short version of `python -m tests.faults`, as a user starts it; what its parts do is tested with it."""

import subprocess
import sys

import pytest

from tests.faults.case import Expected, accepted, refused
from tests.faults.forked import HANG, TRACEBACK, Outcome, run_forked
from tests.faults.scenario import Counts, find_scenarios, render
from tests.faults.scenarios.sentences import trouble

SHORT = ["--kills", "1", "--fuzz", "1", "--every", "60"]
SHORT += [word for name in ("sentences", "fuzz", "canaries", "killed build") for word in ("--only", name)]


def test_short_version():
    command = [sys.executable, "-m", "tests.faults", *SHORT]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert "sentences" in done.stdout


def test_every_scenario_says_what_it_is_about():
    assert all(one.about.endswith(".") for one in find_scenarios())


def work_that_hangs():
    while True:
        pass


@pytest.mark.parametrize(
    ("work", "code"),
    [(lambda: 2, 2), (lambda: None, 0), (lambda: 1 / 0, TRACEBACK), (lambda: sys.exit(3), 3), (work_that_hangs, HANG)],
)
def test_what_becomes_of_a_child(work, code, tmp_path):
    assert run_forked(work, tmp_path / "printed.txt", seconds=1).code == code


@pytest.mark.parametrize(
    ("code", "text", "expected", "kind"),
    [
        (0, "", accepted, None),
        (2, "x: no such file", refused("no such file"), None),
        (0, "", refused("no such file"), "silent"),
        (0, "done", Expected(0, "is resized"), "silent"),
        (2, "x: broken", refused("no such file"), "unclear"),
        (TRACEBACK, "", refused("no such file"), "unclear"),
        (-9, "", accepted, "unclear"),
        (HANG, "", accepted, "stuck"),
    ],
)
def test_kinds_of_trouble(code, text, expected, kind):
    assert trouble(Outcome(code, text, 0.1), expected) == kind


def test_the_table_counts_troubles():
    counts = Counts(cases=3)
    counts.tell("lost", "two masks")
    table = render({"kills": counts, "others": Counts(cases=1)})
    assert "kills: lost: two masks" in table
    assert table.splitlines()[1].split() == ["kills", "3", "0", "0", "0", "1", "0", "0"]
