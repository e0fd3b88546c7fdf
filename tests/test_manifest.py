"""Files that belong together: replaced as one, and refused when one of them is not the one that was written."""

import os
import signal
import subprocess
import sys

import pytest

from utils.manifest import MANIFEST, check_manifest, read_manifest, whole_parts
from utils.whole_files import left_beside

KINDS = ("weights*", "config.json")


def write(folder, text: str, *names: str) -> None:
    with whole_parts(folder, KINDS) as staged:
        for name in names or ("config.json", "weights.bin"):
            (staged / name).write_text(f"{text} {name}")


def names(folder) -> set[str]:
    return {path.name for path in folder.rglob("*")}


def test_a_new_folder_has_all_files_and_a_manifest(tmp_path):
    write(tmp_path / "a/b", "one")
    assert names(tmp_path / "a/b") == {"config.json", "weights.bin", MANIFEST}
    assert read_manifest(tmp_path / "a/b").keys() == {"config.json", "weights.bin"}
    check_manifest(tmp_path / "a/b", KINDS)
    assert names(tmp_path / "a") == {"b", *names(tmp_path / "a/b")}


@pytest.mark.parametrize("among", [False, True])
def test_files_are_replaced_and_others_stay(tmp_path, among):
    folder = tmp_path / "out"
    write(folder, "old", "config.json", "weights_1.bin", "weights_2.bin")
    if among:
        (folder / "log.txt").write_text("kept")
    write(folder, "new", "config.json", "weights.bin")
    check_manifest(folder, KINDS)
    assert (folder / "config.json").read_text() == "new config.json"
    assert names(folder) == {"config.json", "weights.bin", MANIFEST} | ({"log.txt"} if among else set())
    assert names(tmp_path) == {"out", *names(folder)}


def test_the_manifest_keeps_what_it_says_of_other_kinds(tmp_path):
    with whole_parts(tmp_path / "out", ["tokenizer.json"]) as staged:
        (staged / "tokenizer.json").write_text("words")
    write(tmp_path / "out", "one")
    assert read_manifest(tmp_path / "out").keys() == {"config.json", "weights.bin", "tokenizer.json"}
    check_manifest(tmp_path / "out", KINDS)


def test_an_error_changes_nothing(tmp_path):
    write(tmp_path / "out", "old")
    with pytest.raises(RuntimeError), whole_parts(tmp_path / "out", KINDS) as staged:
        (staged / "config.json").write_text("half")
        raise RuntimeError
    check_manifest(tmp_path / "out", KINDS)
    assert (tmp_path / "out/config.json").read_text() == "old config.json"
    assert names(tmp_path) == {"out", *names(tmp_path / "out")}


DAMAGE = {
    "no such file": lambda folder, other: (folder / "weights.bin").unlink(),
    "expected 15 bytes, as manifest.json says, got 2": lambda folder, other: (folder / "weights.bin").write_text("ab"),
    "expected a file whose SHA-256": lambda folder, other: (other / "weights.bin").replace(folder / "weights.bin"),
    "got weights_2.bin too": lambda folder, other: (folder / "weights_2.bin").touch(),
    "expected sizes and digests as JSON": lambda folder, other: (folder / MANIFEST).write_text("{"),
}


@pytest.mark.parametrize("sentence", DAMAGE)
def test_a_damaged_folder_is_refused(tmp_path, sentence):
    write(tmp_path / "a", "one")
    write(tmp_path / "b", "two")
    DAMAGE[sentence](tmp_path / "a", tmp_path / "b")
    with pytest.raises((ValueError, FileNotFoundError), match=sentence):
        check_manifest(tmp_path / "a", KINDS)


def test_folders_without_our_manifest_are_taken_as_they_are(tmp_path):
    check_manifest(tmp_path, KINDS)
    (tmp_path / MANIFEST).write_text('{"name": "a web page"}')
    check_manifest(tmp_path, KINDS)


KILLED = """
import os, sys
from pathlib import Path
from utils import manifest

def stop(*args):
    print("now", flush=True)
    os.read(0, 1)

real = Path.replace
def replace(self, target):
    if sys.argv[2] == "moving" and self.name == "weights.bin":
        stop()
    return real(self, target)
Path.replace = replace

real_rename = Path.rename
def rename(self, target):
    if sys.argv[2] == "swapping" and self.suffix == ".tmp" and not target.exists():
        stop()
    return real_rename(self, target)
Path.rename = rename
with manifest.whole_parts(sys.argv[1], ["weights*", "config.json"]) as staged:
    (staged / "config.json").write_text("new config.json")
    if sys.argv[2] == "writing":
        stop()
    (staged / "weights.bin").write_text("new weights.bin")
"""


def kill_while(stage: str, folder) -> None:
    program = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(folder), stage], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert program.stdout.readline() == b"now\n"
    os.kill(program.pid, signal.SIGKILL)
    program.communicate()


@pytest.mark.parametrize("among", [False, True])
def test_a_writer_killed_while_it_writes_leaves_the_old_files(tmp_path, among):
    folder = tmp_path / "out"
    write(folder, "old")
    if among:
        (folder / "log.txt").write_text("kept")
    kill_while("writing", folder)
    check_manifest(folder, KINDS)
    assert (folder / "config.json").read_text() == "old config.json"
    place = folder / "parts" if among else folder
    assert len(left_beside(place)) == 1
    write(folder, "new")
    assert left_beside(place) == []


def test_a_writer_killed_between_two_folders_leaves_both_whole(tmp_path):
    write(tmp_path / "out", "old")
    kill_while("swapping", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    new, old = sorted(left_beside(tmp_path / "out"), key=lambda path: path.suffix, reverse=True)
    for folder, text in ((old, "old"), (new, "new")):
        check_manifest(folder, KINDS)
        assert (folder / "config.json").read_text() == f"{text} config.json"
    write(tmp_path / "out", "newer")
    assert names(tmp_path) == {"out", *names(tmp_path / "out")}


def test_a_writer_killed_between_two_files_leaves_a_folder_that_is_refused(tmp_path):
    (tmp_path / "log.txt").write_text("kept")
    for name in ("config.json", "weights.bin"):
        (tmp_path / name).write_text(f"old {name}")  # as an earlier version wrote them, without a manifest
    kill_while("moving", tmp_path)
    assert (tmp_path / "config.json").read_text() == "new config.json"
    with pytest.raises(ValueError, match="the folder was changed, or its writing was cut off"):
        check_manifest(tmp_path, KINDS)
    write(tmp_path, "new")
    check_manifest(tmp_path, KINDS)
    assert names(tmp_path) == {"config.json", "weights.bin", "log.txt", MANIFEST}
