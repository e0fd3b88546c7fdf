"""Verify a built or downloaded MQ-RAVSBench: measure every mask again and list what is wrong.

  python -m scripts.benchmark.verify ../MQ-RAVSBench --output findings.json

Exit code 0 when nothing is wrong, 1 when something is, 2 when the folder could not be verified.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from configs.construction import VerifyArguments
from dataset.verification.benchmark import verify_benchmark
from scripts.program import run_program
from utils.whole_files import write_json

NUM_SHOWN = 5  # findings of each kind that are printed


def main(argv: list[str] | None = None) -> int:
    """Exit code 0; 1 when there are findings; 2, with one sentence on stderr, when the folder is no benchmark."""
    return run_program("verify", (VerifyArguments,), verify, argv, __doc__, logging.WARNING)


def verify(args: VerifyArguments) -> int:
    """Measure, write the report, print it."""
    if args.output and Path(args.output).is_dir():
        raise ValueError(f"--output {args.output}: expected a file, got a folder")
    report = verify_benchmark(Path(args.root), args.num_workers, args.allow_links)
    if args.output:
        write_json(args.output, report.as_json())
    print(report.render(NUM_SHOWN))
    if max(report.counts.values(), default=0) > NUM_SHOWN:
        print(f"all of them: {args.output or 'run again with --output findings.json'}")
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main())
