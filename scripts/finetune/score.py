"""Moved to `scripts.evaluate.score`; this address keeps working."""

import sys

from scripts.evaluate.score import main

if __name__ == "__main__":
    sys.exit(main())
