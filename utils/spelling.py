"""Names of files that look the same: an accent is one sign with its letter, or its own (macOS writes the second)."""

from __future__ import annotations

import unicodedata
from pathlib import Path


def existing_path(path: Path) -> Path:
    """The path in the spelling that exists on the disk; as it is, where it is plain ASCII or nothing exists."""
    if str(path).isascii():
        return path
    spellings = (path, *(Path(unicodedata.normalize(form, str(path))) for form in ("NFC", "NFD")))
    return next((spelling for spelling in spellings if _exists(spelling)), path)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that is too long, or has a zero byte
        return False
