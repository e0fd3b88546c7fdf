"""Verifies a whole benchmark: all split files that exist, frame by frame in several processes."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import cv2
from tqdm import tqdm

from dataset.benchmark.annotations import META_DIR, read_test, read_train
from dataset.benchmark.links import link_problems
from dataset.benchmark.samples import AuditSample, Benchmark, Problem
from dataset.benchmark.validation import find_file_problems
from dataset.verification.files import SplitFile, metadata_findings, orphan_findings
from dataset.verification.findings import Finding, Report
from dataset.verification.frames import verify_frame, verify_videos
from utils.splits import PARTS, SPLITS, TRAIN

CHUNK = 4  # number of frames that a process gets at once


def verify_benchmark(root: Path, num_workers: int = 1, allow_links: bool = False) -> Report:
    """Everything that is wrong with a built or downloaded benchmark, in the same order each time.

    Raises FileNotFoundError or ValueError for a folder that is not a benchmark: it has no split files, no masks or no
    metadata.csv, or these files cannot be read at all.
    """
    root = Path(root)
    files = _present(root)
    benchmarks = [_read(file) for file in files]
    samples = [sample for benchmark in benchmarks for sample in benchmark.samples]
    findings = [_from_problem(p, "annotation") for benchmark in benchmarks for p in benchmark.problems]
    if not allow_links:
        findings += [_from_problem(p, "link") for benchmark in benchmarks for p in link_problems(benchmark)]
    findings += metadata_findings(root, files)
    findings += verify_videos(sample for sample in samples if sample.protocol == "video")
    findings += _verify_frames(samples, num_workers)
    # Only frames and sounds are checked here: all masks have just been read.
    media = [sample.keeping(lambda candidate: False) for sample in samples]
    findings += [_from_problem(problem, "media") for problem in find_file_problems(media, num_workers)]
    findings += orphan_findings(root, files, samples)
    num_masks = sum(len(sample.candidates) for sample in samples)
    if not num_masks and not findings:
        raise ValueError(f"{root}: expected masks to verify, got split files without any")
    # Faults of a uid that is in image mode and in video mode are listed once.
    return Report(root, num_masks, len(samples), tuple(dict.fromkeys(findings)))


def _present(root: Path) -> list[SplitFile]:
    if not root.is_dir():
        raise FileNotFoundError(f"benchmark folder {root}: no such folder")
    parts = sorted(PARTS.values(), key=lambda part: SPLITS.index(part[0]))
    files = [SplitFile(root, split, protocol) for split, protocol in parts]
    present = [file for file in files if file.path.is_file()]
    if not present:
        names = ", ".join(file.name for file in files)
        raise FileNotFoundError(f"{root / META_DIR}: expected at least one of {names}, got none")
    return present


def _read(file: SplitFile) -> Benchmark:
    return read_train(file.root) if file.protocol == TRAIN else read_test(file.root, file.split, file.protocol)


def _verify_frames(samples: list[AuditSample], num_workers: int) -> Iterator[Finding]:
    num_workers = min(num_workers, -(-len(samples) // CHUNK))
    with tqdm(total=len(samples), desc="verifying masks", unit="frame") as bar:
        for findings in _each_frame(samples, num_workers):
            yield from findings
            bar.update()


def _each_frame(samples: list[AuditSample], num_workers: int) -> Iterator[list[Finding]]:
    if num_workers <= 1:
        yield from map(verify_frame, samples)
        return
    pool = ProcessPoolExecutor(num_workers, get_context("spawn"), cv2.setNumThreads, (1,))
    try:
        yield from pool.map(verify_frame, samples, chunksize=CHUNK)
    finally:
        pool.shutdown(cancel_futures=True)


def _from_problem(problem: Problem, kind: str) -> Finding:
    path = None if problem.mask_path is None else str(problem.mask_path)
    return Finding(problem.uid, path, kind, problem.text)
