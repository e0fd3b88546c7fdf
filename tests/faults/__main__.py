"""Faults made on purpose, and a table of what survives: python -m tests.faults [--kills N] [--fuzz N] [--only NAME]

Ends with exit code 1 when a goal is missed: every count of trouble has the goal 0.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.scenario import MEANINGS, Options, Scenario, find_scenarios, render


def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    os.environ |= {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "DS_ACCELERATOR": "cpu"}
    scenarios = find_scenarios()
    if args.list:
        print("\n".join(f"{one.name:<24} {one.about}" for one in scenarios))
        return 0
    chosen = [one for one in scenarios if not args.only or any(name in one.name for name in args.only)]
    if not chosen:
        print(f"faults: --only: expected a part of a name that --list shows, got {args.only}", file=sys.stderr)
        return 2
    results = {}
    for one in chosen:
        start = time.monotonic()
        results[one.name] = run(one, args)
        print(f"{one.name}: {results[one.name].cases} cases in {time.monotonic() - start:.0f} s", file=sys.stderr)
    print(render(results))
    return 1 if any(counts.troubles for counts in results.values()) else 0


def run(one: Scenario, args: argparse.Namespace):
    with tempfile.TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True) as folder:
        names = ("kills", "fuzz", "seed", "case", "every")
        end = time.monotonic() + 60 * args.minutes
        return one.run(Options(folder=Path(folder), end=end, **{name: getattr(args, name) for name in names}))


def parser() -> argparse.ArgumentParser:
    kinds = "\n".join(f"  {kind:<11} {meaning}" for kind, meaning in MEANINGS.items())
    text = f"{__doc__}\nColumns of the table:\n{kinds}"
    made = argparse.ArgumentParser(
        "faults", description=text, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    made.add_argument("--kills", type=int, default=2, metavar="N", help="kill -9 in each scenario that kills (2)")
    made.add_argument("--fuzz", type=int, default=10, metavar="N", help="changed files for each reader (10)")
    made.add_argument(
        "--only", action="append", metavar="NAME", help="scenarios whose name holds NAME; may be repeated"
    )
    made.add_argument("--case", default="", metavar="TEXT", help="of the sentence table: cases whose name holds TEXT")
    made.add_argument(
        "--every", type=int, default=1, metavar="N", help="of tables of cases: take the first of every N (1)"
    )
    made.add_argument(
        "--minutes",
        type=float,
        default=math.inf,
        metavar="N",
        help="of kills and damaged checkpoints: begin no new case of a scenario after so many minutes (no end)",
    )
    made.add_argument("--seed", type=int, default=0, metavar="N", help="decides the random choices (0)")
    made.add_argument("--list", action="store_true", help="list the scenarios and end")
    return made


if __name__ == "__main__":
    sys.exit(main())
