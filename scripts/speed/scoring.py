"""How long `scripts.evaluate.score` takes for many records, and how much memory.

  python -m scripts.speed.scoring [--records 1000000] [--eval_mode video]

The records are drawn: ten frames of a video, ten masks of each frame, answers in the paper's words, half of them wrong.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import count, islice
from pathlib import Path

import psutil

from configs.scoring import ScoringSpeedArguments
from scripts.program import run_program
from utils.audit import Audit, render_audit
from utils.mask_types import GRADED_TYPES
from utils.records import raw_record

MASKS = [("perfect", None, "accept"), ("merge", 1, "reject"), ("merge", 2, "minor revision"), ("full_neg", 1, "reject")]
MASKS += [(name, rank, "major revision") for name in GRADED_TYPES for rank in (1, 2)]


def main(argv: list[str] | None = None) -> int:
    return run_program("scoring", (ScoringSpeedArguments,), measure, argv, __doc__)


def measure(args: ScoringSpeedArguments) -> None:
    """Write the records, score them in a process of its own, and print what it took."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "records.jsonl")
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(record) + "\n" for record in islice(drawn_records(), args.records))
        program = [sys.executable, "-m", "scripts.evaluate.score", str(path), "--eval_mode", args.eval_mode]
        start = time.perf_counter()
        process = subprocess.Popen([*program, "--output", f"{folder}/metrics.json"], stdout=subprocess.DEVNULL)
        memory, ended = 0, 0
        while not ended:
            memory = max(memory, _memory(process.pid))
            time.sleep(0.1)
            ended, status, used = os.wait4(process.pid, os.WNOHANG)
        wall = time.perf_counter() - start
        megabytes = path.stat().st_size / 10**6
    if status:
        raise ValueError(f"scripts.evaluate.score: expected exit code 0, got {os.waitstatus_to_exitcode(status)}")
    print(
        f"{args.records} records, {args.eval_mode} mode, {megabytes:.0f} MB: {wall:.1f} s, "
        f"{used.ru_utime + used.ru_stime:.1f} s of computing in all processes, {memory / 10**6:.0f} MB of memory"
    )


def _memory(pid: int) -> int:
    """Bytes of a process and those that it started; what they share counts for each."""
    found = 0
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            found += one.memory_info().rss
    return found


def drawn_records(seed: int = 0) -> Iterator[dict]:
    """Records without end."""
    rng = random.Random(seed)
    for video in count():
        for frame in range(10):
            for number, (mask_type, rank, action) in enumerate(MASKS):
                true = Audit(mask_type, 1.0 if mask_type == "perfect" else rng.random(), action)
                said = rng.choice(MASKS) if rng.random() < 0.5 else (mask_type, rank, action)
                text = render_audit(Audit(said[0], rng.random(), said[2]), "dog", "cat")
                yield raw_record(
                    uid=f"video_{video}_dog_1",
                    vid=f"video_{video}",
                    frame_idx=frame,
                    true=true,
                    rank=rank,
                    mask_path=f"masks/test_s/video_{video}_dog_1/{frame}/{number}.png",
                    raw_output=f"<s>{text}</s>",
                    generated_ids=[rng.randrange(32_000) for _ in range(48)],
                )


if __name__ == "__main__":
    sys.exit(main())
