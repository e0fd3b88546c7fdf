"""Moved to `scripts.evaluate.summarize`; this address keeps working."""

import sys

from scripts.evaluate.summarize import main

if __name__ == "__main__":
    sys.exit(main())
