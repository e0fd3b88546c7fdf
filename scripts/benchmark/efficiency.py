"""Moved to `scripts.speed.efficiency`; this address keeps working."""

import sys

from scripts.speed.efficiency import main

if __name__ == "__main__":
    sys.exit(main())
