"""Reads every file that a run would read, before the run starts, and lists all problems.

This module knows which files a sample needs; `dataset.media` decodes them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tqdm import tqdm

from dataset.benchmark.links import link_problems
from dataset.benchmark.samples import AuditSample, Benchmark, Candidate, Problem
from dataset.media.frame_folder import stray_doubt
from dataset.media.usable import (
    MOST_LISTED,
    Usable,
    fit_doubt,
    log_doubts,
    size_doubt,
    usable_frame,
    usable_mask,
    usable_sound,
)
from utils.formatting import printable

logger = logging.getLogger(__name__)


class BadData(ValueError):
    """The data cannot be used as it is; the message lists every problem, one a line."""


def validated(
    benchmark: Benchmark,
    on_bad_sample: str = "fail",
    find: Callable[[list[AuditSample]], list[Problem]] | None = None,
    allow_links: bool = False,
) -> Benchmark:
    """The benchmark, if it has no problems; with `skip`, the benchmark without its bad samples, listed in `problems`.

    `find` reads the files in place of `find_file_problems`, where several processes share the work.
    Linked files that lead out of the benchmark are problems, unless `allow_links`.
    Raises BadData when something is wrong (`fail`), or when no sample is left.
    """
    for reason, count in benchmark.passed_over.items():
        logger.info("passed over %d entries: %s", count, reason)
    for doubt in benchmark.doubts[:MOST_LISTED]:
        logger.warning("%s", doubt)
    if len(benchmark.doubts) > MOST_LISTED:
        logger.warning("... and %d more entries with a doubt", len(benchmark.doubts) - MOST_LISTED)
    silent = sum(s.protocol == "train" and not c.response for s in benchmark.samples for c in s.candidates)
    if silent:
        logger.warning("%d training masks have no response: their answer to learn is empty", silent)
    problems = benchmark.problems + ([] if allow_links else link_problems(benchmark))
    problems += (find or find_file_problems)(benchmark.samples)
    if problems and on_bad_sample == "fail":
        raise BadData(listing(benchmark.root, problems))
    good = benchmark.without(problems)
    good.problems = problems
    if problems:
        logger.warning("%s", listing(benchmark.root, problems))
    if not good.samples:
        raise BadData(f"{benchmark.root}: expected at least one sample to use, got none (check the split and filters)")
    return good


def find_file_problems(samples: list[AuditSample], num_threads: int = 4) -> list[Problem]:
    """Decode each frame, sound and mask once. Doubts, such as a mask of another size than its frame, are logged."""
    frames = _unique(path for s in samples for path in (*s.video_paths, s.frame_path))
    audios = _unique(s.audio_path for s in samples)
    masks = [(s, c) for s in samples for c in s.candidates]
    with (
        ThreadPoolExecutor(num_threads) as pool,
        tqdm(total=len(frames) + len(audios) + len(masks), desc="checking data", unit="file", leave=False) as bar,
    ):
        media = dict(zip(frames, checked(pool, bar, attempt(usable_frame), frames), strict=True))
        media |= zip(audios, checked(pool, bar, attempt(usable_sound), audios), strict=True)
        verdicts = list(checked(pool, bar, partial(_check_mask, media), masks))
    fits = zip(masks, verdicts, strict=True)
    doubtful = {c.mask_path: found for (_, c), found in fits if isinstance(found, Usable) and found.doubt}
    log_doubts(media | _doubts_of_videos(samples, media) | doubtful)
    problems = []
    for uid, paths in _files_by_uid(samples).items():
        problems += [Problem(uid, media[path]) for path in paths if isinstance(media[path], str)]
    return problems + [found for found in verdicts if isinstance(found, Problem)]


def _check_mask(media: dict[Path, Usable | str], pair: tuple[AuditSample, Candidate]) -> Usable | Problem:
    sample, candidate = pair
    mask = attempt(usable_mask)(candidate.mask_path)
    if isinstance(mask, str):
        return Problem(sample.uid, mask, candidate.mask_path)
    mask_type = candidate.audit.mask_type
    if mask.is_empty and mask_type != "null":
        text = f"{candidate.mask_path}: expected foreground in a mask of type {mask_type}, got an empty mask"
        return Problem(sample.uid, text, candidate.mask_path)
    frame = media[sample.frame_path]
    misfit = fit_doubt(mask.size, frame.size) if isinstance(frame, Usable) else None
    doubts = [mask.doubt, f"{misfit}; it is resized" if misfit else None]
    return Usable("; ".join(filter(None, doubts)) or None, mask.size)


def _doubts_of_videos(samples: list[AuditSample], media: dict[Path, Usable | str]) -> dict[str, Usable]:
    """Folder of frames -> a doubt, for frames of several sizes, and for other pictures beside them."""
    found = {}
    for paths in dict.fromkeys(sample.video_paths for sample in samples):
        sizes = size_doubt(media[path].size for path in paths if isinstance(media[path], Usable))
        if doubt := "; ".join(filter(None, (sizes, stray_doubt(paths)))):
            found[str(paths[0].parent)] = Usable(doubt)
    return found


def attempt(check):
    """A function that gives the check's result, or the sentence of its error."""

    def run(path: Path):
        try:
            return check(path)
        except (OSError, ValueError) as error:
            return str(error)

    return run


def checked(pool: ThreadPoolExecutor, bar: tqdm, check, items: list) -> Iterable:
    """The check's result for each item, in order; moves the progress bar."""
    for result in pool.map(check, items):
        bar.update()
        yield result


def _files_by_uid(samples: list[AuditSample]) -> dict[str, list[Path]]:
    files: dict[str, list[Path]] = {}
    for sample in samples:
        files.setdefault(sample.uid, []).extend((*sample.video_paths, sample.frame_path, sample.audio_path))
    return {uid: _unique(paths) for uid, paths in files.items()}


def _unique(paths: Iterable[Path]) -> list[Path]:
    return list(dict.fromkeys(paths))


def listing(root: Path, problems: list[Problem]) -> str:
    count = len(problems)
    lines = "\n".join(f"  - {printable(str(problem), keep='')}" for problem in problems)
    return f"{root}: {count} problem{'s' * (count != 1)} in the data:\n{lines}"
