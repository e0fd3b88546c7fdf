"""How long a report of many masks takes to build and to show, how large it is, and how much memory the page needs.

  python -m scripts.speed.report [--masks 20000]

The masks are those of drawn videos, each of which stands many times under other names, and the answers are drawn. Goals
for 20,000 masks: built in 4 minutes on two cores, 250 MB, first sight after 3 s, a filter in 0.3 s, 500 MB of memory.
The page is measured in a headless Chromium, where there is one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil

from configs.speed import ReportSpeedArguments
from scripts.program import run_program
from scripts.speed.browser import CHROMIUM, open_browser
from scripts.speed.drawn_answers import drawn_answers
from scripts.speed.material import repeated_benchmark, small_benchmark
from utils.whole_files import write_json, write_jsonl

DRAWN_CLIPS = 40
NAME = "image_mask-all_rank-all"
PAINTED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))"
FIRST_SIGHT = '() => document.querySelectorAll("#cards .card").length > 0'  # summary and cards are there
PICTURES = """() => {
    const pictures = [...document.querySelectorAll("#cards .card img")].slice(0, 4);
    return pictures.every((picture) => picture.complete && picture.naturalWidth);
}"""
FILTERS = {"type": "merge", "action": "reject", "answer": "wrong", "sort": "least certain first"}
SET_FILTER = """async ([id, value]) => {
    const start = performance.now();
    const control = document.getElementById(id);
    control.value = value;
    control.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())));
    return performance.now() - start;
}"""


def main(argv: list[str] | None = None) -> int:
    return run_program("report_speed", (ReportSpeedArguments,), measure, argv, __doc__)


def measure(args: ReportSpeedArguments) -> None:
    """Draw the masks and answers, build the report in a process of its own, open it, and print what it took."""
    clips, folder = -(-args.masks // args.masks_per_clip), Path(args.output)
    copies = -(-clips // DRAWN_CLIPS)
    root = repeated_benchmark(small_benchmark(folder / "drawn", DRAWN_CLIPS), folder / "MQ-RAVSBench", copies)
    run, report = folder / f"test_s_{NAME}", folder / "report"
    shutil.rmtree(report, ignore_errors=True)
    run.mkdir(parents=True, exist_ok=True)
    write_jsonl(run / f"predictions_{NAME}.jsonl", drawn_answers(str(root), "test_s", args.masks))
    settings = {"test_name": "test_s", "eval_mode": "image", "data_dir": str(root), "auditor_dir": "drawn answers"}
    write_json(run / "run.json", {"settings": settings})
    print(f"{args.masks} masks of about {clips} clips; load before {os.getloadavg()[0]:.1f}", flush=True)
    wall, cpu, megabytes = build(run, report)
    files = [path for path in report.rglob("*") if path.is_file()]
    size, blocks = (sum(get(path.stat()) for path in files) / 10**6 for get in (_size, _on_disk))
    print(f"built in {wall:.1f} s ({cpu:.1f} s of CPU) with {megabytes:.0f} MB of memory", flush=True)
    print(f"{size:.0f} MB in {len(files)} files, {blocks:.0f} MB on this disk", flush=True)
    if CHROMIUM is None:
        print("the page was not opened: there is no Chromium on this machine")
        return
    print(opened(report))


def build(run: Path, report: Path) -> tuple[float, float, float]:
    """(seconds by the clock, seconds of CPU, megabytes of memory at the peak) of scripts.report."""
    start = time.perf_counter()
    program = [sys.executable, "-m", "scripts.report", str(run), "--output", str(report)]
    process = subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise ValueError(f"scripts.report: expected exit code 0, got {os.waitstatus_to_exitcode(status)}")
    return time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 10**6


def opened(report: Path) -> str:
    """What a browser takes to show the page and to filter it."""
    with open_browser() as browser:
        page = browser.new_page()
        start = time.perf_counter()
        page.goto(f"file://{report.resolve()}/index.html", wait_until="commit")
        page.wait_for_function(FIRST_SIGHT)
        page.evaluate(PAINTED)
        first = time.perf_counter() - start
        page.locator("#cards .card").first.scroll_into_view_if_needed()
        page.wait_for_function(PICTURES)
        pictures = time.perf_counter() - start
        slowest = dict.fromkeys(FILTERS, 0.0)
        for name, value in FILTERS.items():
            for chosen in (value, page.evaluate("(id) => document.getElementById(id).options[0].value", name)):
                slowest[name] = max(slowest[name], page.evaluate(SET_FILTER, [name, chosen]))
        searched = page.evaluate(SET_FILTER, ["search", "object left"])
        client = page.context.new_cdp_session(page)
        client.send("Performance.enable")
        metrics = {one["name"]: one["value"] for one in client.send("Performance.getMetrics")["metrics"]}
        memory = _renderer_megabytes()
    each = ", ".join(f"{name} {own / 1000:.2f} s" for name, own in (slowest | {"search": searched}).items())
    heap = metrics["JSHeapUsedSize"] / 10**6
    sight = f"first sight after {first:.2f} s, first pictures of the gallery after {pictures:.2f} s"
    return f"{sight}; {each}; {memory:.0f} MB of memory, {heap:.0f} MB of them JavaScript's"


def _renderer_megabytes() -> float:
    """Memory that only the process of the page uses; the largest, if this program has several."""
    own = [one for one in psutil.Process().children(recursive=True) if "--type=renderer" in " ".join(one.cmdline())]
    return max(one.memory_full_info().uss for one in own) / 10**6


def _size(stat: os.stat_result) -> int:
    return stat.st_size


def _on_disk(stat: os.stat_result) -> int:
    return stat.st_blocks * 512


if __name__ == "__main__":
    sys.exit(main())
