"""Links in a folder of data that lead out of it.

A linked folder is followed: its owner has put the media on another disk. A linked file that leaves the folder is
refused unless the user allows it: a downloaded benchmark could show any file of this machine with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dataset.benchmark.samples import Benchmark, Problem

HOW = "(--allow_links true follows such links)"


def leaves(root: Path, path: Path) -> Path | None:
    """Where a linked file leads, if it is outside `root` and outside the linked folder that the file lies in."""
    if not path.is_symlink() or path.is_dir():
        return None
    target = path.resolve()
    linked = [folder for folder in path.parents if folder != root and root in folder.parents and folder.is_symlink()]
    inside = any(target.is_relative_to(folder.resolve()) for folder in (root, *linked))
    return None if inside else target


def link_fault(root: Path, path: Path) -> str | None:
    """What is wrong with a linked file that leaves `root`, in a sentence."""
    target = leaves(root.absolute(), path.absolute())
    return f"{path}: expected a file inside {root}, got a link to {target} {HOW}" if target else None


def refuse_links(root: Path, paths: Iterable[Path]) -> None:
    """Raises ValueError for the first of these files that is a link out of `root`."""
    for path in paths:
        if fault := link_fault(root, path):
            raise ValueError(fault)


def link_problems(benchmark: Benchmark) -> list[Problem]:
    """One problem for each frame, sound and mask of the samples that is a link out of the benchmark.

    Raises ValueError where a split file or metadata.csv is one.
    """
    refuse_links(benchmark.root, benchmark.files)
    known: dict[Path, str | None] = {}

    def fault(path: Path) -> str | None:
        if path not in known:
            known[path] = link_fault(benchmark.root, path)
        return known[path]

    problems = []
    for sample in benchmark.samples:
        media = dict.fromkeys((*sample.video_paths, sample.frame_path, sample.audio_path))
        problems += [Problem(sample.uid, text) for path in media if (text := fault(path))]
        masks = [candidate.mask_path for candidate in sample.candidates]
        problems += [Problem(sample.uid, text, path) for path in masks if (text := fault(path))]
    return list(dict.fromkeys(problems))
