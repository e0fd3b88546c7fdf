"""A report of finished audits: scores, charts, and a gallery of all masks, as a folder that opens by double click.

python -m scripts.report results/quickstart --output results/quickstart/report
"""

from __future__ import annotations

import sys

from configs.report import ReportArguments
from scripts.program import run_program


def main(argv: list[str] | None = None) -> int:
    return run_program("report", (ReportArguments,), report, argv, __doc__)


def report(args: ReportArguments) -> None:
    """Read the results, draw the gallery, and write the page last."""
    from scripts.reporting.build import build_report

    print(f"written: {build_report(args) / 'index.html'}")


if __name__ == "__main__":
    sys.exit(main())
