"""Kill -9 while another auditor is asked behind an API: no reply is lost, and only those under way are paid twice."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import time
from collections import Counter
from pathlib import Path

from scripts.evaluate.baseline import main
from tests.conftest import BENCHMARK
from tests.fake_server import AUDIT, FakeServer, digest, serving
from tests.faults.scenario import Counts, Options, scenario

AT_ONCE = 3
PREDICTIONS = "predictions_image_mask-all_rank-all.jsonl"


@scenario("kills of an API run")
def api_kills(options: Options) -> Counts:
    """Kill -9 of a run behind an API: no reply is lost, only those under way are paid twice, metrics are the same."""
    counts, rng = Counts(), random.Random(options.seed)
    with serving(answer=slowly) as server:
        expected = undisturbed(server, options.folder / "undisturbed")
        done = 0
        while done < options.kills:
            folder = options.folder / "killed"
            shutil.rmtree(folder, ignore_errors=True)
            server.bodies.clear()
            kills = 0
            while done < options.kills and kills < 10 and killed(server, folder, rng.uniform(0.02, 0.6)):
                done, kills = done + 1, kills + 1
            if run(server, folder) != 0:
                counts.tell("stuck", f"after {kills} kills: the last start did not finish")
            counts.cases += kills
            asked = Counter(digest(body) for body in server.bodies if body["max_tokens"] != 16)  # not of the probe
            paid_twice = sum(asked.values()) - len(asked)
            if paid_twice > kills * AT_ONCE:
                counts.tell("lost", f"{paid_twice} replies were paid twice after {kills} kills of {AT_ONCE} under way")
            if read(folder) != expected:
                counts.tell("different", f"after {kills} kills: other predictions than those of an undisturbed run")
    return counts


def slowly(body: dict) -> str:
    """An audit that depends on the question, after a short time."""
    time.sleep(0.01)
    return AUDIT.replace("0.81", f"0.{int(digest(body)[:6], 16) % 100:02d}")


def argv(server: FakeServer, folder: Path) -> list[str]:
    flags = ["--server", server.url, "--model", "m", "--data_dir", BENCHMARK, "--output_dir", folder]
    return [*map(str, flags), "--at_once", str(AT_ONCE)]


def undisturbed(server: FakeServer, folder: Path) -> bytes:
    assert run(server, folder) == 0
    return read(folder)


def read(folder: Path) -> bytes:
    return next(folder.rglob(PREDICTIONS), Path(os.devnull)).read_bytes()


def start(server: FakeServer, folder: Path) -> multiprocessing.Process:
    process = multiprocessing.get_context("fork").Process(target=quietly, args=(argv(server, folder),))
    process.start()
    return process


def quietly(words: list[str]) -> None:
    """`main` in a child, whose output is of no interest."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    os._exit(main(words))


def run(server: FakeServer, folder: Path) -> int | None:
    process = start(server, folder)
    process.join(60)
    return process.exitcode


def killed(server: FakeServer, folder: Path, after: float) -> bool:
    """Whether the run was still under way when it was killed."""
    process = start(server, folder)
    process.join(after)
    if process.is_alive():
        os.kill(process.pid, signal.SIGKILL)
    process.join()
    return process.exitcode == -signal.SIGKILL
