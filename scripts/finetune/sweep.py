"""Moved to `scripts.evaluate.sweep`; this address keeps working."""

import sys

from scripts.evaluate.sweep import main

if __name__ == "__main__":
    sys.exit(main())
