"""How long `scripts.audit` takes for many masks of one's own, beside the evaluation program for the same masks.

  python -m scripts.speed.own_masks --auditor results/quickstart/MQ-Auditor \\
      --pretrained_weights_dir pretrained_weights/mini [--masks 1000 --clips 80]

Both programs are run in turn on the CPU, each as a process of its own, from files to results. Prints the ratio of their
times, and how many answers are the same.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from configs.speed import OwnMasksSpeedArguments
from dataset.benchmark.annotations import read_test
from scripts.program import run_program
from scripts.speed.material import IMAGE_SPLIT, META, small_benchmark

RUN, PREDICTIONS = "test_s_image_mask-all_rank-all", "predictions_image_mask-all_rank-all.jsonl"


class Taken(NamedTuple):
    """Seconds of a program: by the clock, and of CPU in all of its processes, which other programs change less."""

    wall: float
    cpu: float


def main(argv: list[str] | None = None) -> int:
    return run_program("own_masks", (OwnMasksSpeedArguments,), measure, argv, __doc__)


def measure(args: OwnMasksSpeedArguments) -> None:
    """Draw the clips, run both programs in turn, and print what it took."""
    folder = Path(args.output)
    built = small_benchmark(folder / f"{args.clips}_clips", args.clips)
    root = _with_masks(built, folder / f"{args.masks}_masks", args.masks)
    jobs = _write_jobs(root, folder / "jobs.jsonl")
    shared = ["--pretrained_weights_dir", args.pretrained_weights_dir, "--device", "cpu", "--max_new_tokens", "96"]
    shared += ["--merge_lora", "true", "--report", "false"]
    evaluation = ["scripts.evaluate.run", "--auditor_dir", args.auditor, "--data_dir", str(root), *shared]
    audit = ["scripts.audit", "--auditor", args.auditor, "--jobs", str(jobs), *shared]
    taken: dict[str, list[Taken]] = {"evaluation": [], "audit": []}
    for number in range(args.repeats):
        place = folder / f"results-{number}"
        shutil.rmtree(place, ignore_errors=True)
        taken["evaluation"].append(_run([*evaluation, "--output_dir", str(place)]))
        taken["audit"].append(_run([*audit, "--output", str(place / "audit")]))
        round_of = ", ".join(f"{name} {own[-1].wall:.1f} s ({own[-1].cpu:.1f} s CPU)" for name, own in taken.items())
        print(f"round {number + 1} of {args.repeats}: {round_of}; load {os.getloadavg()[0]:.1f}", flush=True)
    same = _same_answers(folder / "results-0")
    print(f"{args.masks} masks of {args.clips} clips; {same} of {args.masks} answers are the same")
    typical = {name: Taken(*map(statistics.median, zip(*own, strict=True))) for name, own in taken.items()}
    wall, cpu = (ours / theirs for ours, theirs in zip(typical["audit"], typical["evaluation"], strict=True))
    print(f"ratio of the times {wall:.3f} (goal: at most 1.1), of the seconds of CPU {cpu:.3f}")


def _with_masks(built: Path, root: Path, masks: int) -> Path:
    """The same benchmark with that many test masks: of the expressions with most of them some are left out."""
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(built, root, copy_function=os.link)
    entries = json.loads((built / META / IMAGE_SPLIT).read_text(encoding="utf-8"))
    lists = [[*entry["part_neg_masks"].values(), entry["full_neg_masks"]] for entry in entries]
    surplus = sum(1 + sum(map(len, own)) for own in lists) - masks
    if surplus < 0:
        raise ValueError(f"--masks {masks}: expected at most the {masks + surplus} masks of these --clips, got more")
    for _ in range(surplus):
        max(max(lists, key=lambda own: sum(map(len, own))), key=len).pop()
    (root / META / IMAGE_SPLIT).unlink()  # a link to that of the whole benchmark
    (root / META / IMAGE_SPLIT).write_text(json.dumps(entries), encoding="utf-8")
    return root


def _write_jobs(root: Path, path: Path) -> Path:
    """The same masks as a job list."""
    benchmark = read_test(root, "test_s", "image")
    rows = []
    for sample, number in benchmark.requests():
        one = benchmark.samples[sample]
        clip, frame = one.audio_path.parent, int(one.frame_path.stem)
        job = {"clip": str(clip.resolve()), "expression": one.expression, "frame": frame}
        rows.append(job | {"mask": str(one.candidates[number].mask_path.resolve())})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def _run(program: list[str]) -> Taken:
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen([sys.executable, "-m", *program], stdout=subprocess.DEVNULL, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        if status:
            said.seek(0)
            code = os.waitstatus_to_exitcode(status)
            raise ValueError(f"{program[0]}: expected exit code 0, got {code}: {said.read().strip()[-300:]}")
    return Taken(wall, used.ru_utime + used.ru_stime)


def _same_answers(place: Path) -> int:
    """How many masks got the same text from both programs."""
    ours = _texts(place / "audit" / "audits.jsonl", "mask_path")
    theirs = _texts(place / RUN / PREDICTIONS, "mask_path")
    return sum(any(path.endswith(f"/{name}") and ours[path] == text for path in ours) for name, text in theirs.items())


def _texts(path: Path, key: str) -> dict[str, str]:
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return {row[key]: row["raw_output"] for row in rows}


if __name__ == "__main__":
    sys.exit(main())
