"""Disks that are full at some write: one sentence, and the next start, with room, ends as an undisturbed run."""

from __future__ import annotations

import ctypes
import hashlib
import os
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.faults.forked import TRACEBACK, Outcome, run_forked
from tests.faults.material import copy_material, make_material
from tests.faults.programs import PROGRAMS
from tests.faults.scenario import Counts, Options, scenario
from tests.faults.scenarios.sentences import warm_up

NEW_MOUNTS, NEW_USER, PRIVATE, REMOUNT = 0x20000, 0x10000000, 0x44000, 32  # of unshare(2) and mount(2)
PLENTY = 2**30
PAGE = 4096
FULL = ("No space left on device", "are free on its disk")
NO_DISK = 77  # exit code where this user may not make a small disk


@dataclass(frozen=True)
class Writer:
    """A program that writes to {root}/disk. `results`: patterns of the files that must come out the same.

    A WAV file of floats is none of them: it holds the time of its making.
    """

    program: str
    flags: tuple[str, ...]
    results: tuple[str, ...]


SAVING = ("--max_steps", "3", "--save_strategy", "steps", "--save_steps", "1", "--save_total_limit", "2")
WRITERS = (
    Writer("train", ("--output_dir", "{root}/disk/auditor", *SAVING), ("auditor/*.safetensors",)),
    Writer("evaluate", ("--output_dir", "{root}/disk"), ("*/predictions*", "*/metrics*")),
    Writer("build", ("--output_dir", "{root}/disk/built"), ("built/**/*",)),
    Writer("audit a video", ("--output", "{root}/disk/audit"), ("audit/frames/*", "audit/audit.png")),
)


@scenario("full disks")
def full_disks(options: Options) -> Counts:
    """The disk of a training, an evaluation, a build or an audit is full at some write (tmpfs of many sizes)."""
    material, counts = make_material(options.folder / "material"), Counts()
    warm_up({"train"}, material, options.folder)
    rng = random.Random(options.seed)
    for writer in WRITERS:
        root = options.folder / "case"
        shutil.rmtree(root, ignore_errors=True)
        argv = PROGRAMS[writer.program].argv(root, writer.flags)
        copy_material(material, root, argv)
        (root / "disk").mkdir()
        work = lambda argv=argv, name=writer.program: PROGRAMS[name].main(argv)  # noqa: E731
        outcome = run_forked(lambda: try_size(work, root, PLENTY, writer), root / "outer.txt", 300)  # noqa: B023
        if outcome.code == NO_DISK:
            counts.tell("unclear", "this user may not mount a tmpfs: not tried")
            return counts
        right, needed = (root / "digests").read_text(), int((root / "used").read_text())
        for _ in range(options.kills):
            counts.cases += 1
            size = PAGE * rng.randint(1, max(2, needed // PAGE))
            run_forked(lambda size=size: try_size(work, root, size, writer), root / "outer.txt", 600)  # noqa: B023
            judge(counts, f"{writer.program}, disk of {size} bytes", root, right)
    return counts


def judge(counts: Counts, where: str, root: Path, right: str) -> None:
    """Read what `try_size` has left."""
    first, second = (root / "first").read_text(), (root / "second").read_text()
    last = (root / "printed.txt").read_text(errors="replace").strip()[-300:]
    if first not in ("0", "2"):
        counts.tell("unclear", f"{where}: expected a sentence and exit code 2, got {first}: {last}")
    sentence = (root / "sentence").read_text().splitlines()[-1:]
    if first == "2" and not any(words in "".join(sentence) for words in FULL):
        counts.tell("unclear", f"{where}: expected that the disk is full, got {sentence}")
    if second != "0":
        counts.tell("stuck", f"{where}: with more room: exit code {second}: {last}")
    elif (root / "digests").read_text() != right:
        others = {*(root / "digests").read_text().splitlines()} ^ {*right.splitlines()}
        counts.tell("different", f"{where}: with more room: other results than undisturbed: {sorted(others)[:4]}")


def try_size(work: Callable[[], int], root: Path, size: int, writer: Writer) -> int:
    """In a child: run on a disk of so many bytes, then again with plenty; files in `root` say how it went."""
    if not small_disk(root / "disk", size):
        return NO_DISK
    first = run_forked(work, root / "printed.txt", 300)
    note(root, "first", first)
    (root / "sentence").write_text(first.text.strip()[-500:])
    resize(root / "disk", PLENTY)
    second = first if first.code == 0 else run_forked(work, root / "printed.txt", 300)
    note(root, "second", second)
    state = os.statvfs(root / "disk")
    (root / "used").write_text(str((state.f_blocks - state.f_bfree) * state.f_frsize))
    files = sorted(path for pattern in writer.results for path in (root / "disk").glob(pattern) if path.is_file())
    digests = [f"{path.relative_to(root)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n" for path in files]
    (root / "digests").write_text("".join(digests))
    return 0


def note(root: Path, name: str, outcome: Outcome) -> None:
    (root / name).write_text(f"{TRACEBACK}: {outcome.text[-200:]}" if outcome.code == TRACEBACK else str(outcome.code))


def small_disk(folder: Path, size: int) -> bool:
    """A disk of its own for this process and its children; it goes with them. False where that is not allowed."""
    libc, user, group = ctypes.CDLL(None), os.getuid(), os.getgid()
    if libc.unshare(NEW_MOUNTS | (NEW_USER if user else 0)):
        return False
    if user:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    libc.mount(b"none", b"/", None, PRIVATE, None)
    return libc.mount(b"tmpfs", str(folder).encode(), b"tmpfs", 0, f"size={size}".encode()) == 0


def resize(folder: Path, size: int) -> None:
    ctypes.CDLL(None).mount(b"tmpfs", str(folder).encode(), b"tmpfs", REMOUNT, f"size={size}".encode())
